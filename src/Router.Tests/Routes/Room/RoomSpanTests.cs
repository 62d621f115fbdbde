using System.Text;
using Router.Admission;
using Router.Diagnostics;
using Router.Loop;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>What a room gives to other members of a cluster, and what it takes from them.</summary>
public sealed class RoomSpanTests
{
    private static readonly RoomSettings Open = new(
        RoomEntry.FirstPayload, ToSender: false, RoomsMax: 10, MembersMax: 10, PayloadMax: 100,
        Buffer: 1 << 20, RoomWhenSlow.Drop,
        new PeerValidation(
            PeerProof.None, default, [], TimeSpan.FromSeconds(5), new Router.TestKit.Simulation.SeededRandom(7)));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_is_said_goes_to_other_members_once_whatever_the_loop(int loops)
    {
        using var kit = new RouterTestKit(seed: 1, loops);
        var (listener, span) = Bind(kit);
        var peers = Enumerable.Range(0, 8).Select(i => Member(kit, listener, i, "red")).ToList();
        peers.ForEach(static peer => peer.Send("hello"u8));
        kit.RunUntilIdle();

        Assert.Equal(Enumerable.Repeat("rooms/red: hello", 8), span.Said);
        Assert.All(peers, static peer => Assert.Equal(7, peer.Received.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_comes_from_other_members_is_heard_by_all_of_the_room_and_goes_nowhere_else(int loops)
    {
        using var kit = new RouterTestKit(seed: 1, loops);
        var (listener, span) = Bind(kit);
        var red = Enumerable.Range(0, 8).Select(i => Member(kit, listener, i, "red")).ToList();
        var blue = Member(kit, listener, 9, "blue");
        span.SayFromAfar(kit, "rooms/red", "from afar");

        Assert.All(red, static peer => Assert.Equal(["from afar"], peer.ReceivedText));
        Assert.Empty(blue.Received);
        Assert.Empty(span.Said);   // neither back nor on
    }

    /// <summary>Each member has its own max-payload, and a change of it comes to one after the other.</summary>
    [Fact]
    public void What_is_longer_than_payloads_of_here_is_heard_over_streams_and_packets()
    {
        using var kit = new RouterTestKit(seed: 1);
        var (route, span) = (new RoomRoute("rooms", Open), new Span());
        route.Spread(span);
        var stream = kit.TcpPeer("127.0.0.1:5001", kit.BindTcp(route));
        stream.Send("red\n"u8);
        var packets = Member(kit, kit.BindUdp(route), 2, "red");
        var longer = new string('x', 10 * Open.PayloadMax);
        span.SayFromAfar(kit, "rooms/red", longer);

        Assert.Equal(longer + "\n", stream.ReceivedText);
        Assert.Equal([longer], packets.ReceivedText);
    }

    [Fact]
    public void A_room_is_opened_with_its_first_session_and_closed_after_its_last()
    {
        using var kit = new RouterTestKit(seed: 1)
        {
            Limits = new ListenerLimits { IdleTimeout = TimeSpan.FromSeconds(9) },
        };
        var (listener, span) = Bind(kit);
        Member(kit, listener, 0, "red");
        kit.Advance(TimeSpan.FromSeconds(5));
        Member(kit, listener, 1, "red");
        Assert.Equal(["rooms/red"], span.Opened);
        kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(span.Closed);

        kit.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(["rooms/red"], span.Closed);
        Member(kit, listener, 2, "red");
        Assert.Equal(["rooms/red", "rooms/red"], span.Opened);
    }

    [Fact]
    public void What_members_miss_is_counted_for_each_of_them()
    {
        using var kit = new RouterTestKit(seed: 1);
        var (listener, span) = Bind(kit);
        var peer = Member(kit, listener, 0, "red");
        span.Missed = 3;
        peer.Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(3, listener.Drops(DropReason.RoomBehind));
    }

    private static (KitListener Listener, Span Span) Bind(RouterTestKit kit)
    {
        var (route, span) = (new RoomRoute("rooms", Open), new Span());
        route.Spread(span);
        return (kit.BindUdp(route), span);
    }

    private static UdpPeer Member(RouterTestKit kit, KitListener listener, int number, string room)
    {
        var peer = kit.UdpPeer($"127.0.0.1:{5000 + number}", listener);
        peer.Send(Encoding.ASCII.GetBytes(room));
        kit.RunUntilIdle();
        return peer;
    }

    private sealed class Span : IRoomSpan
    {
        private readonly Dictionary<string, IRoomHearer> _rooms = [];

        public List<string> Opened { get; } = [];

        public List<string> Closed { get; } = [];

        public List<string> Said { get; } = [];

        public int Missed { get; set; }

        public RoomSpanFigures Figures => default;

        public IRoomReach Open(string name, IRoomHearer room)
        {
            Opened.Add(name);
            _rooms[name] = room;
            return new Reach(this, name);
        }

        public void SayFromAfar(RouterTestKit kit, string room, string payload)
        {
            foreach (var loop in kit.Loops.Where(_rooms[room].IsHeardOn))
            {
                loop.Enqueue(new Hearing(() => _rooms[room].Hear(loop, Encoding.ASCII.GetBytes(payload))));
            }

            kit.RunUntilIdle();
        }
    }

    private sealed class Reach(Span span, string name) : IRoomReach
    {
        public int Say(IoLoop loop, ReadOnlySpan<byte> payload)
        {
            Assert.True(loop.IsCurrent);
            span.Said.Add($"{name}: {Encoding.ASCII.GetString(payload)}");
            return span.Missed;
        }

        public void Close() => span.Closed.Add(name);
    }

    private sealed class Hearing(Action hear) : IRunnable
    {
        public void Run() => hear();

        public void Execute() => hear();
    }
}

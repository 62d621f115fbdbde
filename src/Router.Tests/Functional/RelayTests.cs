using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Members of a cluster that proxy UDP behind a router with equal-cost paths to an address of theirs: when
/// the paths change it sends peers to other members than before.</summary>
/// <remarks>The upstream answers with the endpoint that it has seen: so a peer sees whether its session is the same
/// one, and at which member that is.</remarks>
[Collection(MemberTests.Name)]
public sealed class RelayTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Ingress = 5300, Direct = 5301;

    /// <summary>Detection of a death takes four to five seconds; a loaded machine takes longer.</summary>
    private static readonly TimeSpan RecoveryMax = TimeSpan.FromSeconds(20);

    /// <summary>Three at once, on a machine that may be loaded.</summary>
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(90);

    private const string Config = """
        router {
          loops = 1
          log.stats-interval = 1s
          cluster.stray-timeout = 3s   # members that are busy, or have just started, answer late
          listener-defaults { route = proxy, strays = relay, idle-timeout = 10m, max-sessions = 1000 }
          listeners.ingress { bind = "udp://0.0.0.0:5300" }
          listeners.direct { bind = "udp://10.9.1.1:5301", return = direct }
          routes.proxy { type = proxy, upstreams = "10.9.0.254:5400" }
        }
        """;

    private readonly ITestOutputHelper _output = output;

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task A_peer_that_is_sent_to_another_member_keeps_its_upstream_port_until_its_member_dies()
    {
        const int Peers = 40;
        var rig = await ClusterRig.CreateAsync(this, Folder, members: 3);
        await rig.ShareAddressAsync();
        await Task.WhenAll(Enumerable.Range(1, 3).Select(member => rig.StartAsync(member, Config)));
        await AreUpAsync(rig[1], rig[2], rig[3]);
        await rig.BalanceAsync(1, 2);
        using var upstream = await Network.RunAsync(static () => new EchoOfEndpoints(5400));
        var peers = await Network.RunAsync(static () => Enumerable.Range(0, Peers)
            .Select(static i => new Peer(i % 2 == 0 ? Ingress : Direct))
            .ToList());
        await TalkAsync(peers, upstream, static peer => peer.Sessions.Count == 1);
        Assert.Equal([1, 2], peers.Select(static peer => peer.Member).Distinct().Order());

        await rig.BalanceAsync(1, 2, 3);
        peers.ForEach(static peer => peer.Answers = 0);
        await TalkAsync(peers, upstream, static peer => peer.Answers >= 5);

        Assert.All(peers, static peer => Assert.Single(peer.Sessions));
        var relaying = await FigureAsync(rig[3], "relaying", static figure => figure > 0);
        _output.WriteLine($"{relaying} of {Peers} peers are sent to the third member");
        Assert.InRange(relaying, 5, Peers);

        rig[2].Signal(TestLibc.SigKill);
        await rig.BalanceAsync(1, 3);
        peers.ForEach(static peer => peer.Answers = 0);
        // Answers of the member that died may wait in a peer's socket still.
        var took = await TalkAsync(
            peers, upstream, static peer => peer.Answers >= 5 && peer.Member != 2, RecoveryMax);

        _output.WriteLine($"all answered {took.TotalMilliseconds:0} ms after the kill");
        foreach (var peer in peers)
        {
            var first = peer.Sessions[0].Address.GetAddressBytes()[3];
            Assert.Equal(first == 2 ? 2 : 1, peer.Sessions.Count);   // those of the member that died, and no others
            Assert.NotEqual(2, peer.Member);
        }

        peers.ForEach(static peer => peer.Dispose());
    }

    [RequiresToolFact(RequiredTools.Namespace, "env")]
    public async Task The_example_has_a_peer_of_both_members_be_one_session()
    {
        var example = Repository.Read("hocon/examples/cluster-proxy.conf");
        var file = await RouterProcess.WriteAsync(Folder, example);
        using var one = await Network.RunAsync(static () => new EchoOfEndpoints(5353));
        using var two = await Network.RunAsync(static () => new EchoOfEndpoints(5354));
        await AreUpAsync(await Task.WhenAll(new[] { "127.0.0.1", "127.0.0.2" }.Select(address =>
            CommandAsync(
                ["run", "--config", file, "--set", "router.log.stats-interval=1s"],
                surroundings: ["env", $"MEMBER={address}"]))));

        using var peer = await Network.RunAsync(static () =>
            new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var seen = new List<string>();
        foreach (var address in (string[])["127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2"])
        {
            var asked = new IPEndPoint(IPAddress.Parse(address), 5330);
            peer.SendTo("which port?"u8, asked);
            await Until.TrueAsync(
                () =>
                {
                    one.Answer();
                    two.Answer();
                    return peer.Available > 0;
                },
                () => $"{address} does not answer");
            var buffer = new byte[100];
            EndPoint from = asked;
            seen.Add(Encoding.ASCII.GetString(buffer, 0, peer.ReceiveFrom(buffer, ref from)));
            Assert.Equal(asked, from);
        }

        Assert.Single(seen.Distinct(StringComparer.Ordinal));
    }

    private static async Task AreUpAsync(params RouterProcess[] members)
    {
        foreach (var member in members)
        {
            await member.RecordAsync("member-up", members.Length - 1, StartMax);
            await member.RecordAsync("fence-open", within: StartMax);
        }

        // Relays find each other by messages of their own, and try again: two lines of figures later they have.
        foreach (var member in members)
        {
            await member.RecordAsync("cluster-stats", member.RecordsOf("cluster-stats").Count + 1);
        }
    }

    /// <summary>Has all peers say something every few milliseconds until the condition holds for each.</summary>
    private static Task<TimeSpan> TalkAsync(
        List<Peer> peers, EchoOfEndpoints upstream, Func<Peer, bool> condition, TimeSpan? within = null) =>
        Until.TrueAsync(
            () =>
            {
                foreach (var peer in peers.Where(peer => !condition(peer)))
                {
                    peer.Ask();
                }

                upstream.Answer();
                peers.ForEach(static peer => peer.Take());
                return peers.TrueForAll(peer => condition(peer));
            },
            () => $"not so for {string.Join(", ", peers.Where(peer => !condition(peer)))}",
            within);

    private static async Task<long> FigureAsync(RouterProcess member, string name, Func<long, bool> condition)
    {
        var value = 0L;
        await Until.TrueAsync(
            () =>
            {
                value = member.RecordsOf("cluster-stats") is [.., var last] ? last.GetProperty(name).GetInt64() : 0;
                return condition(value);
            },
            () => $"{name} is {value}");
        return value;
    }

    /// <summary>An upstream that answers with whom it was asked by.</summary>
    private sealed class EchoOfEndpoints : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly byte[] _buffer = new byte[100];

        public EchoOfEndpoints(int port) => _socket.Bind(new IPEndPoint(IPAddress.Any, port));

        public void Answer()
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            while (_socket.Available > 0)
            {
                _socket.ReceiveFrom(_buffer, ref from);
                _socket.SendTo(Encoding.ASCII.GetBytes($"{from}"), from);
            }
        }

        public void Dispose() => _socket.Dispose();
    }

    private sealed class Peer : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly byte[] _buffer = new byte[100];

        public Peer(int port)
        {
            _socket.Connect(new IPEndPoint(IPAddress.Parse(ClusterRig.SharedAddress), port));
            _socket.Blocking = false;
        }

        /// <summary>As the upstream has seen them, one after the other.</summary>
        public List<IPEndPoint> Sessions { get; } = [];

        public int Answers { get; set; }

        /// <summary>Where its session is.</summary>
        public int Member => Sessions[^1].Address.GetAddressBytes()[3];

        public void Ask()
        {
            try
            {
                _socket.Send("which port?"u8);
            }
            catch (SocketException)
            {
                // The way to a member that is gone.
            }
        }

        public void Take()
        {
            while (_socket.Poll(0, SelectMode.SelectRead))
            {
                try
                {
                    var seen = IPEndPoint.Parse(Encoding.ASCII.GetString(_buffer, 0, _socket.Receive(_buffer)));
                    Answers++;
                    if (Sessions.Count == 0 || !Sessions[^1].Equals(seen))
                    {
                        Sessions.Add(seen);
                    }
                }
                catch (SocketException)
                {
                    // A member that is gone.
                }
            }
        }

        public override string ToString() =>
            $"{_socket.LocalEndPoint} ({Answers} answers by {string.Join(' ', Sessions)})";

        public void Dispose() => _socket.Dispose();
    }
}

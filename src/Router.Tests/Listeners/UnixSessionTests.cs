using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Listeners;

/// <summary>Sessions over unix sockets, on simulated ones: who they are, how they are answered, how they end.</summary>
public sealed class UnixSessionTests
{
    private static readonly PeerCredentials Www = new(4_242, 33, 33);
    private static readonly PeerCredentials Root = new(1, 0, 0);

    [Fact]
    public void A_stream_session_knows_who_its_peer_is()
    {
        using var kit = new RouterTestKit(seed: 1);
        SessionContext? session = null;
        var listener = kit.BindUnix("/run/s", () => new Opened(each => session = each));

        var peer = kit.UnixPeer(listener, Www);
        peer.Send("one"u8);
        kit.RunUntilIdle();

        Assert.Equal("one", peer.ReceivedText);
        Assert.Equal(SessionTransport.Unix, session!.Transport);
        Assert.Equal(Www, session.PeerCredentials);
        Assert.Equal("unix:-", session.PeerText);
        Assert.Equal("255.255.255.255:0", session.PeerEndPoint.ToString());
        peer.Finish();
        kit.RunUntilIdle();
        Assert.Equal(0, listener.Sessions);
        Assert.True(peer.HasFinished);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_peer_that_is_gone_is_told_of_once_and_its_bytes_are_heard(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var handler = new Waiting();
        var listener = kit.BindUnix(
            "/run/s", () => handler, new ListenerLimits { OnPool = onPool, MailboxBytes = 70_000 });
        var peer = kit.UnixPeer(listener, Www);

        peer.Send(new byte[50_000]);
        peer.Close();
        kit.RunUntilIdle();   // fails where a hang-up is told of for ever

        Assert.Equal(50_000, handler.Bytes);
        Assert.Equal(1, handler.Ends);
        Assert.Equal(onPool ? 1 : 0, listener.Sessions);
    }

    [Fact]
    public void A_datagram_session_is_one_of_a_name_and_a_process()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUnixgram("/run/s", new EchoRoute("echo"));
        var one = kit.UnixgramPeer("@me", listener, Www);
        var other = kit.UnixgramPeer("@me", listener, Www with { ProcessId = 4_243 });
        var root = kit.UnixgramPeer("/run/me", listener, Root);

        foreach (var peer in (UdpPeer[])[one, other, root])
        {
            peer.Send("a"u8);
            peer.Send([]);
        }

        kit.RunUntilIdle();

        Assert.Equal(3, listener.Sessions);
        Assert.Equal(["a", ""], one.ReceivedText);
        Assert.Equal(["a", ""], other.ReceivedText);
        Assert.Equal(["a", ""], root.ReceivedText);
    }

    [Fact]
    public void A_peer_without_a_name_is_refused_and_counted_whatever_the_route()
    {
        using var kit = new RouterTestKit(seed: 1);
        foreach (var route in (Route[])[new EchoRoute("echo"), new HandlerRoute("h", () => new ScriptHandler())])
        {
            var listener = kit.BindUnixgram("/run/" + route.Name, route);
            var peer = kit.UnixgramPeer("", listener, Www);

            peer.Send("a"u8);
            peer.Send("b"u8);
            kit.RunUntilIdle();

            Assert.Equal(0, listener.Sessions);
            Assert.Equal(2, listener.Drops(DropReason.UnnamedPeer));
            Assert.Empty(peer.Received);
            peer.Close();
        }
    }

    [Fact]
    public void A_listener_of_ours_is_never_answered()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUnixgram("/run/s", new EchoRoute("echo"));
        var elsewhere = kit.BindUnixgram("/run/t", new HandlerRoute("h", () => new ScriptHandler()));
        kit.Guard.Own = new Router.Admission.OwnEndpoints([], [], [listener.Address, elsewhere.Address]);

        foreach (var own in (string[])["/run/s", "/run/t"])
        {
            kit.UnixgramPeer(own, listener, Root).Send("a"u8);
        }

        kit.RunUntilIdle();

        Assert.Equal(0, listener.Sessions);
        Assert.Equal(2, listener.Drops(DropReason.OwnListener));
    }

    [Fact]
    public void Nobody_can_forge_a_name_so_that_answers_are_not_rationed()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUnixgram("/run/s", new ReplyRoute("r", new byte[1_000]));
        var peer = kit.UnixgramPeer("@me", listener, Www);

        peer.Send([]);
        kit.RunUntilIdle();

        Assert.Equal(1_000, Assert.Single(peer.Received).Payload.Length);
    }

    [Fact]
    public void A_name_is_held_as_long_as_its_session()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUnixgram("/run/s", new EchoRoute("echo"));
        var peer = kit.UnixgramPeer("@held", listener, Www);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var name = UnixNames.Find(SocketAddr.Unix(
            UnixSocketType.Datagram, UnixNames.NumberOf("\0held"u8, Www)))!;

        Assert.Equal(1, name.Holders);
        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(0, listener.Sessions);
        Assert.Equal(0, name.Holders);
    }

    [Fact]
    public void Loops_share_a_streams_name_and_a_datagram_listener_has_one_loop()
    {
        using var kit = new RouterTestKit(seed: 1, loops: 3);

        Assert.Equal(3, kit.BindUnix("/run/s", new EchoRoute("echo")).Shards.Count);
        Assert.Single(kit.BindUnixgram("/run/t", new EchoRoute("echo")).Shards);
    }

    [Fact]
    public void A_drained_listener_ends_its_datagram_sessions_and_lets_nobody_in()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUnixgram("/run/s", new EchoRoute("echo"));
        var peer = kit.UnixgramPeer("@me", listener, Www);
        peer.Send("a"u8);
        kit.RunUntilIdle();

        listener.Drain();
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(0, listener.Sessions);
        Assert.Equal(1, listener.Drops(DropReason.Draining));
        Assert.Equal(["a"], peer.ReceivedText);
    }

    /// <summary>Does not close when its peer has finished.</summary>
    private sealed class Waiting : SessionHandler
    {
        public int Bytes { get; private set; }

        public int Ends { get; private set; }

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                Bytes += payload.Length;
            }
        }

        public override void OnPeerFinished(SessionContext session) => Ends++;
    }

    private sealed class Opened(Action<SessionContext> opened) : SessionHandler
    {
        public override void OnOpened(SessionContext session) => opened(session);

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Reply(payload);
            }
        }
    }
}

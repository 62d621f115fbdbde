using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>What a handler on the pool was told is taken, and cannot be sent any more, is a counted drop.</summary>
public sealed class PoolReplyTests
{
    public enum End
    {
        /// <summary>As a listener stops its sessions.</summary>
        Stop,
        PoisonPill,
        Close,
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.PoisonPill)]
    [InlineData(End.Close)]
    public void Datagrams_on_their_way_when_their_session_ends_are_counted(End end)
    {
        using var kit = NewKit();
        var taken = 0;
        var listener = kit.BindUdp(() => NewHandler(session => Reply(kit, session, end, ref taken)));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(4, taken);
        AssertCounted(kit, listener, lost: taken - peer.Received.Count);
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.PoisonPill)]
    [InlineData(End.Close)]
    public void So_are_pieces_of_a_stream(End end)
    {
        using var kit = NewKit();
        var taken = 0;
        var listener = kit.BindTcp(() => NewHandler(session => Reply(kit, session, end, ref taken)));
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        kit.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(4, taken);
        AssertCounted(kit, listener, lost: taken - peer.Received.Length);
    }

    [Fact]
    public void A_piece_behind_the_end_of_the_replies_is_counted()
    {
        using var kit = NewKit();
        var isTaken = false;
        var listener = kit.BindTcp(() => NewHandler(session =>
        {
            session.Reply("a"u8);
            session.FinishReplies();
            isTaken = session.Reply("b"u8);
        }));
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal((true, "a"), (isTaken, peer.ReceivedText));
        Assert.Equal(1, listener.Drops(DropReason.SessionClosed));
    }

    [Fact]
    public void A_piece_that_finds_its_stream_broken_is_counted()
    {
        using var kit = NewKit();
        TcpPeer? peer = null;
        var listener = kit.BindTcp(() => NewHandler(session =>
        {
            Assert.True(session.Reply("a"u8));
            peer!.Reset();
        }));
        peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Reset, Assert.Single(kit.ClosedSessions).Reason);
        AssertCounted(kit, listener, lost: 1);
    }

    private static RouterTestKit NewKit()
    {
        var kit = new RouterTestKit(seed: 1);
        kit.Limits = kit.Limits with { OnPool = true, MaxRestarts = 0 };
        return kit;
    }

    private static ScriptHandler NewHandler(Action<SessionContext> received) => new()
    {
        Opened = static session => session.MarkPeerValidated(),
        Received = (session, _) => received(session),
    };

    /// <summary>One byte each: two before the end is asked for, and two after that.</summary>
    private static void Reply(RouterTestKit kit, SessionContext session, End end, ref int taken)
    {
        taken += session.Reply("1"u8) ? 1 : 0;
        taken += session.Reply("2"u8) ? 1 : 0;
        switch (end)
        {
            case End.Stop:
                kit.Sys.Stop(session.Self);
                break;
            case End.PoisonPill:
                session.Self.Tell(PoisonPill.Instance);
                break;
            default:
                session.Close();
                break;
        }

        taken += session.Reply("3"u8) ? 1 : 0;
        taken += session.Reply("4"u8) ? 1 : 0;
    }

    private static void AssertCounted(RouterTestKit kit, KitListener listener, int lost)
    {
        Assert.InRange(lost, 1, 4);
        Assert.Equal(lost, listener.Drops(DropReason.SessionClosed));
        Assert.Equal(lost, Assert.Single(kit.ClosedSessions).Drops);
        kit.AssertNoLeakedBuffers();
    }
}

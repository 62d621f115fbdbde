using System.Buffers.Binary;
using System.Text;
using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Kit;

/// <summary>Counts the visits of who its peer is, over all sessions.</summary>
public sealed class VisitHandler : SessionHandler
{
    private int _visits;

    public override void OnResumed(SessionContext session, ReadOnlySpan<byte> checkpoint) =>
        _visits = BinaryPrimitives.ReadInt32BigEndian(checkpoint);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        Span<byte> kept = stackalloc byte[sizeof(int)];
        foreach (var _ in batch)
        {
            BinaryPrimitives.WriteInt32BigEndian(kept, ++_visits);
            session.Checkpoint(kept);
            session.Reply(Encoding.ASCII.GetBytes($"visit {_visits}"));
        }
    }
}

public sealed class VisitTests
{
    private static readonly ListenerLimits Limits = new() { Identity = "identity { first-line = \"^(\\\\w+)\" }" };

    [Fact]
    public void A_visitor_who_comes_from_elsewhere_is_counted_on()
    {
        using var kit = new RouterTestKit { Limits = Limits };
        var listener = kit.BindUdp(() => new VisitHandler());
        var home = kit.UdpPeer("192.0.2.7:5000", to: listener);
        var train = kit.UdpPeer("203.0.113.9:6000", to: listener);

        home.Send("alice"u8);
        kit.RunUntilIdle();
        train.Send("alice"u8);
        kit.RunUntilIdle();

        Assert.Equal(["visit 2"], train.ReceivedText);
        Assert.Equal(CloseReason.Superseded, kit.ExpectSessionClosed(home.EndPoint));
        Assert.Equal(2, kit.SessionOf(train.EndPoint).Epoch);   // grows with each attachment
    }

    [Fact]
    public void A_visitor_whose_member_dies_is_counted_on_by_another()
    {
        using var kit = new RouterTestKit { Limits = Limits };
        kit.Cluster.Keep("alice", [0, 0, 0, 41]);   // what an earlier session has left
        var (one, two) = (kit.Cluster.Members[0], kit.Cluster.AddMember());
        var before = kit.UdpPeer("192.0.2.7:5000", to: one.BindUdp(() => new VisitHandler()));
        var after = kit.UdpPeer("192.0.2.7:5001", to: two.BindUdp(() => new VisitHandler()));

        before.Send("alice"u8);
        kit.RunUntilIdle();
        one.Die();
        after.Send("alice"u8);
        kit.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(["visit 42"], before.ReceivedText);
        Assert.Equal(["visit 43"], after.ReceivedText);
    }
}

using System.Text;
using Router.Cluster.Packs;
using Router.Cluster.Relay;
using Router.TestKit;

namespace Router.Tests.Cluster.Packs;

/// <summary>When what a loop says to another member leaves; the member is played by a probe.</summary>
public sealed class PackOutboxTests : RouterActorTestKit
{
    private const int Window = 256 << 10;

    private readonly TestProbe _other;
    private readonly PackOutbox _outbox;
    private readonly RelayPeer _peer;

    public PackOutboxTests()
        : base(seed: 1, loops: 1)
    {
        _other = CreateTestProbe("other");
        _outbox = new PackOutbox(Kit.Loops[0], Window, static () => ActorRefs.Nobody);
        _peer = new RelayPeer(_other.Ref, Kit.Loops.Count);
        Kit.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void What_is_said_now_and_then_leaves_at_once_and_is_not_to_be_acknowledged()
    {
        for (var i = 0; i < 5; i++)
        {
            Kit.Advance(TimeSpan.FromMilliseconds(2));
            Say($"{i}", "x");
            AssertSent([$"{i}", "x"], wantsAck: false);
        }

        Assert.Equal((5, 10), (_outbox.Packs, _outbox.Payloads));
    }

    [Fact]
    public void What_is_said_quickly_is_gathered_until_the_last_pack_has_come()
    {
        Say("0");
        AssertSent(["0"], wantsAck: false);
        Say("1");
        AssertSent(["1"], wantsAck: true);
        Say("2");
        Say("3", "4");
        Say("5");
        _other.ExpectNoMsg(TimeSpan.Zero);
        Kit.Advance(TimeSpan.FromSeconds(1));
        _other.ExpectNoMsg(TimeSpan.Zero);   // the probe of its actor finds what is lost

        _peer.OnAck(_peer.Sent);
        Kit.RunUntilIdle();
        AssertSent(["2", "3", "4", "5"], wantsAck: false);
        Say("6");
        AssertSent(["6"], wantsAck: true);
    }

    [Fact]
    public void An_acknowledgement_of_what_was_sent_before_frees_nothing()
    {
        Say("0");
        Sent();
        var first = _peer.Sent;
        Say("1");
        Sent();
        Say("2");
        _peer.OnAck(first);
        Kit.RunUntilIdle();
        _other.ExpectNoMsg(TimeSpan.Zero);
        _peer.OnAck(_peer.Sent);
        Kit.RunUntilIdle();
        AssertSent(["2"], wantsAck: true);
    }

    [Fact]
    public void A_long_pack_is_not_held_and_the_window_bounds_what_is()
    {
        Stream();
        Say(new string('x', PackBuilder.FlushBytes));
        Assert.True(Sent().Head.WantsAck);
        while (_outbox.Behind == 0)
        {
            Say(new string('y', 1_000));
        }

        Assert.Equal(1, _peer.Missed);
        Assert.InRange(_peer.OnTheWay, Window - PackBuilder.FlushBytes - 2_000, Window);
        Say("z");
        Assert.Equal(1, _outbox.Behind);   // there is room for a short one
    }

    [Fact]
    public void What_is_held_for_a_member_that_is_gone_is_dropped()
    {
        Stream();
        Say("held");
        _peer.Remove();
        Kit.RunUntilIdle();
        _other.ExpectNoMsg(TimeSpan.Zero);
        Assert.True(_peer.LaneOf(_outbox).Pack.IsEmpty);
        Assert.False(_peer.LaneOf(_outbox).IsOpen);
    }

    [Fact]
    public void A_member_that_is_slow_holds_what_others_are_told_no_longer()
    {
        Stream();
        Say("held");
        var quick = CreateTestProbe("quick");
        var peer = new RelayPeer(quick.Ref, Kit.Loops.Count);
        InPass(() => _outbox.TryAdd(peer, 1, "quick"u8));
        Assert.Equal(["1:quick"], PackText.Of(quick.ExpectMsg<Pack>()));
        _other.ExpectNoMsg(TimeSpan.Zero);
    }

    /// <summary>Two packs at the same moment: the next one is held.</summary>
    private void Stream()
    {
        Say("0");
        Say("1");
        Sent();
        Assert.True(Sent().Head.WantsAck);
    }

    private void Say(params string[] payloads) => InPass(() => Array.ForEach(
        payloads, payload => _outbox.TryAdd(_peer, 1, Encoding.ASCII.GetBytes(payload))));

    private Pack Sent() => _other.ExpectMsg<Pack>();

    private void AssertSent(string[] payloads, bool wantsAck)
    {
        var pack = Sent();
        Assert.Equal(payloads.Select(static payload => $"1:{payload}"), PackText.Of(pack));
        Assert.Equal(wantsAck, pack.Head.WantsAck);
    }

    private void InPass(Action say)
    {
        Kit.Loops[0].Enqueue(new ActionRunnable(say));
        Kit.RunUntilIdle();
    }
}

using System.Text;
using Router.Cluster.Identities;
using Router.Diagnostics;
using Router.TestKit;
using Router.Tests.Cluster;

namespace Router.Tests.Kit;

/// <summary>A cluster in the kit does what one of real members does: identities move, and are kept.</summary>
public sealed class KitClusterTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly RouterTestKit _kit = new(seed: 7)
    {
        Limits = new ListenerLimits { Identity = "identity { first-line = \"^(\\\\w+)\" }" },
    };

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void A_second_peer_of_an_identity_supersedes_the_first_and_goes_on_with_its_state()
    {
        var listener = _kit.BindUdp(static () => new CountingHandler());
        var first = _kit.UdpPeer("192.0.2.1:5000", listener);
        var second = _kit.UdpPeer("192.0.2.2:5000", listener);
        Say(first, "alice", "alice");
        Say(second, "alice");

        Assert.Equal(["1 1", "2 1"], first.ReceivedText);
        Assert.Equal(["3 2"], second.ReceivedText);
        Assert.Equal(CloseReason.Superseded, _kit.ExpectSessionClosed(first.EndPoint));
        Assert.Equal(("alice", 2), (_kit.OpenSessions.Single().Identity, _kit.OpenSessions.Single().Epoch));
        Assert.Equal("3", Text(_kit.Cluster.CheckpointOf("alice")));
        _kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public async Task A_stream_is_attached_too_and_what_is_told_to_its_identity_reaches_it()
    {
        var listener = _kit.BindTcp(static () => new CountingHandler());
        _kit.Cluster.Identity("bob").Tell("early");
        var peer = _kit.TcpPeer("192.0.2.1:5000", listener);
        peer.Send("bob\n"u8);
        _kit.RunUntilIdle();
        var heard = peer.ReceivedText;

        Assert.Contains("1 1", heard, StringComparison.Ordinal);
        Assert.Contains("told early", heard, StringComparison.Ordinal);
        var asked = _kit.Cluster.Identity("bob").AskAsync("late", TimeSpan.FromMinutes(1));
        _kit.RunUntilIdle();
        Assert.EndsWith("told late", peer.ReceivedText, StringComparison.Ordinal);
        Assert.Equal(Delivery.Delivered, await asked);   // Akka has it go on on the thread pool
    }

    [Fact]
    public void What_the_store_has_is_given_to_the_identitys_first_session()
    {
        _kit.Cluster.Keep("carol", "41"u8);
        var peer = _kit.UdpPeer("192.0.2.1:5000", _kit.BindUdp(static () => new CountingHandler()));
        Say(peer, "carol");

        Assert.Equal(["42 2"], peer.ReceivedText);
        Assert.Null(_kit.Cluster.CheckpointOf("nobody"));
    }

    [Fact]
    public void A_member_that_dies_is_taken_over_when_the_others_are_sure_and_not_before()
    {
        var (one, two) = (_kit.Cluster.Members[0], _kit.Cluster.AddMember());
        var here = _kit.UdpPeer("192.0.2.1:5000", one.BindUdp(static () => new CountingHandler()));
        var there = _kit.UdpPeer("192.0.2.1:5001", two.BindUdp(static () => new CountingHandler()));
        Say(here, "dave", "dave");
        _kit.Advance(2 * Second);   // its checkpoint has been sent
        one.Die();
        Say(there, "dave");
        Say(here, "dave");

        _kit.Advance(2 * Second);
        Assert.Equal(["1 1", "2 1"], here.ReceivedText);
        Assert.Empty(there.ReceivedText);
        _kit.Advance(2 * Second);
        Assert.Equal(["3 2"], there.ReceivedText);
        _kit.AssertNoLeakedBuffers();
    }

    /// <summary>The entity is at the member whose session asked first.</summary>
    [Fact]
    public void A_session_whose_entity_dies_with_another_member_stays_attached_and_is_reached()
    {
        var (one, two) = (_kit.Cluster.Members[0], _kit.Cluster.AddMember());
        var here = _kit.UdpPeer("192.0.2.1:5000", one.BindUdp(static () => new CountingHandler()));
        var there = _kit.UdpPeer("192.0.2.1:5001", two.BindUdp(static () => new CountingHandler()));
        Say(here, "erin");
        Say(there, "erin");
        one.Die();
        _kit.Advance(10 * Second);
        _kit.Cluster.Identity("erin").Tell("still there?");
        _kit.RunUntilIdle();
        Say(there, "erin");

        Assert.Equal(["2 2", "told still there?", "3 3"], there.ReceivedText);
    }

    [Fact]
    public void Behind_a_shut_fence_a_session_sends_nothing()
    {
        var peer = _kit.UdpPeer("192.0.2.1:5000", _kit.BindUdp(static () => new CountingHandler()));
        var member = Assert.Single(_kit.Cluster.Members);
        Say(peer, "frank");
        member.ShutFence();
        Say(peer, "frank");
        Assert.Equal(["1 1"], peer.ReceivedText);
        member.OpenFence();
        Say(peer, "frank");

        Assert.Equal(["1 1", "3 1"], peer.ReceivedText);
    }

    [Fact]
    public void While_the_store_is_away_nobody_is_attached()
    {
        var listener = _kit.BindUdp(static () => new CountingHandler());
        var peer = _kit.UdpPeer("192.0.2.1:5000", listener);
        _kit.Cluster.IsStoreAway = true;
        Say(peer, "grace");
        _kit.Advance(11 * Second);

        Assert.Equal(CloseReason.Unattached, _kit.ExpectSessionClosed(peer.EndPoint));
        _kit.Cluster.IsStoreAway = false;
        Say(peer, "grace");
        Assert.Equal(["1 1"], peer.ReceivedText);
    }

    [Fact]
    public void A_reply_behind_a_checkpoint_that_is_lost_is_dropped()
    {
        var listener = _kit.BindUdp(
            static () => new CountingHandler(),
            limits: _kit.Limits with { Identity = $"{_kit.Limits.Identity}, checkpoint-sync = on" });
        var peer = _kit.UdpPeer("192.0.2.1:5000", listener);
        Say(peer, "heidi");
        _kit.Cluster.IsStoreAway = true;
        Say(peer, "heidi");
        _kit.Cluster.IsStoreAway = false;
        Say(peer, "heidi");

        Assert.Equal(["1 1", "3 1"], peer.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.NotKept));
    }

    [Theory]
    [InlineData("ivan sesame", "1 1")]
    [InlineData("ivan hazel", null)]
    public void A_handlers_proof_is_asked_for(string payload, string? answer)
    {
        var listener = _kit.BindUdp(
            static () => new CountingHandler(),
            limits: _kit.Limits with { Identity = $"{_kit.Limits.Identity}, proof = handler" });
        var peer = _kit.UdpPeer("192.0.2.1:5000", listener);
        Say(peer, payload);

        Assert.Equal(answer is null ? [] : [answer], peer.ReceivedText);
        Assert.Equal(answer is null ? 1 : 0, listener.Drops(DropReason.WrongProof));
    }

    [Fact]
    public void Keys_that_the_router_would_refuse_are_refused_with_its_words()
    {
        var limits = new ListenerLimits { Identity = "identity = endpoint, prof = x" };
        var failure = Assert.Throws<RouterTestKitException>(
            () => _kit.BindUdp(static () => new CountingHandler(), limits: limits));

        Assert.Contains("did you mean 'proof'?", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The scheduler has told it already when the entity takes it back: what it was for is over, and by now it
    /// would have an identity forgotten that rests for a moment.</summary>
    [Fact]
    public void An_alarm_that_was_taken_back_and_comes_all_the_same_forgets_nothing()
    {
        var peer = _kit.UdpPeer("192.0.2.1:5000", _kit.BindUdp(static () => new CountingHandler()));
        Say(peer, "kim");
        _kit.Advance(31 * Second);   // the session has ended
        Assert.Equal(CloseReason.Idle, _kit.ExpectSessionClosed(peer.EndPoint));
        for (var number = 0; number < 2; number++)   // it has asked for more alarms than these
        {
            Assert.Equal("1", Text(_kit.Cluster.CheckpointOf("kim")));
            _kit.Sys.ActorSelection($"/user/{KitRegion.Name}/*/kim").Tell(new WakeEntity(number), ActorRefs.NoSender);
            _kit.RunUntilIdle();
        }

        Assert.Equal("1", Text(_kit.Cluster.CheckpointOf("kim")));
    }

    /// <summary>Its entity has ended, and is made again.</summary>
    [Fact]
    public void An_identity_that_nobody_speaks_for_is_forgotten_after_a_day()
    {
        var listener = _kit.BindUdp(static () => new CountingHandler());
        Say(_kit.UdpPeer("192.0.2.1:5000", listener), "judy");
        _kit.Advance(TimeSpan.FromHours(25));
        Assert.Null(_kit.Cluster.CheckpointOf("judy"));
        var later = _kit.UdpPeer("192.0.2.1:5001", listener);
        Say(later, "judy");

        Assert.Equal(["1 1"], later.ReceivedText);
    }

    private static string Text(byte[]? bytes) => Encoding.ASCII.GetString(bytes ?? []);

    private void Say(UdpPeer peer, params string[] texts)
    {
        foreach (var text in texts)
        {
            peer.Send(Encoding.ASCII.GetBytes(text));
            _kit.RunUntilIdle();
        }
    }
}

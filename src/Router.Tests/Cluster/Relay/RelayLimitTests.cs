using System.Text;
using Router.Cluster.Packs;
using Router.Cluster.Relay;
using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Cluster.Relay;

/// <summary>Each limit of the relay, filled; the other member is played by a probe.</summary>
public sealed class RelayLimitTests : RelayRig
{
    private const int Window = 512 << 10;
    private const long Theirs = (77L << RelayNotes.LoopBits) | 1;

    private readonly TestProbe _other;
    private readonly UdpPeer _upstream;
    private RelayMemberRig _one = null!;
    private long _position;

    public RelayLimitTests()
    {
        _other = CreateTestProbe("other");
        _upstream = Kit.UdpPeer(Upstream);
    }

    [Fact]
    public void A_member_that_does_not_acknowledge_misses_datagrams_beyond_the_window_which_are_counted()
    {
        Start(Defaults);
        var peer = Found();
        var payload = new byte[1_000];
        for (var i = 0; i < 1_000; i++)
        {
            peer.Send(payload);
            Kit.RunUntilIdle();
        }

        var missed = _one.Listener.Drops(DropReason.RelayBehind);
        Assert.InRange(missed, 1_000 - (Window / 1_000), 1_000 - (Window / 1_100));
        Assert.Equal(missed, _one.Figures.Behind);
        Assert.Equal(1_000 - missed, _one.Figures.Passed - 1);
        var packs = Drain<Pack>();
        Assert.InRange(packs[^1].Head.Position, Window - PackBuilder.FlushBytes - 2_000, Window);

        Kit.Advance(TimeSpan.FromSeconds(1));
        var probe = Drain<PackProbe>()[0];
        Assert.Equal(packs[^1].Head.Position, probe.Position);
        _one.Span.Actor.Tell(new PackAck(probe.Position), _other.Ref);
        Kit.RunUntilIdle();
        var held = Drain<Pack>();
        Assert.Equal(1_000 - missed, Payloads([.. packs, .. held]).Count(static each => each.Text.Length == 1_000));
        Kit.Advance(TimeSpan.FromSeconds(1));
        Drain<Pack>();
        peer.Send("again"u8);
        Kit.RunUntilIdle();
        Assert.Equal("again", Assert.Single(Payloads(Drain<Pack>())).Text);
    }

    [Fact]
    public void So_do_answers_to_a_member_that_does_not_acknowledge()
    {
        Start(Defaults);
        var session = Known("192.0.2.1:4000");
        Ask("192.0.2.1:4000");
        var port = Answers(Drain<Pack>()).Single().Remote;
        Arrive((port, "x"));
        for (var i = 0; i < 1_000; i++)
        {
            _upstream.SendTo(session, new byte[1_000]);
            Kit.RunUntilIdle();
        }

        Assert.InRange(_one.Listener.Drops(DropReason.RelayBehind), 1_000 - (Window / 1_000), 1_000 - (Window / 1_100));
    }

    [Fact]
    public void So_many_peers_are_asked_for_at_once_and_those_beyond_begin_here()
    {
        Start(Defaults with { AskedMax = 3 });
        for (var i = 0; i < 20; i++)   // the kernel's hash spreads them over both loops
        {
            Kit.UdpPeer($"192.0.2.{i + 1}:4000", _one.Listener).Send("x"u8);
        }

        Kit.RunUntilIdle();
        Assert.InRange(_one.Figures.Asked, 3, 6);
        Assert.Equal(20, _one.Figures.Asked + _one.Figures.Unasked);
        Assert.Equal(_one.Figures.Unasked, _upstream.Received.Count);

        // They are not asked for without end: those that wait begin here too, and others are asked for.
        Kit.Advance(2 * Defaults.StrayTimeout);
        Assert.Equal(20, _upstream.Received.Count);
        Assert.Equal(_one.Figures.Asked, _one.Figures.Unanswered);
        Kit.UdpPeer("192.0.2.100:4000", _one.Listener).Send("x"u8);
        Kit.RunUntilIdle();
        Assert.Equal(20, _upstream.Received.Count);
    }

    [Fact]
    public void What_a_peer_sends_while_others_are_asked_waits_within_the_mailboxs_limit()
    {
        Start(Defaults, mailbox: 5);
        var peer = Kit.UdpPeer("192.0.2.1:4000", _one.Listener);
        Say(peer, 9);
        Assert.Equal(4, _one.Listener.Drops(DropReason.MailboxFull));
        Kit.Advance(2 * Defaults.StrayTimeout);
        Assert.Equal(["0", "1", "2", "3", "4"], _upstream.Received.Select(TextOf));
        Say(peer, 1);
        Assert.Equal(6, _upstream.Received.Count);
        Kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_session_that_ends_while_others_are_asked_gives_back_what_waits()
    {
        Start(Defaults);
        Say(Kit.UdpPeer("192.0.2.1:4000", _one.Listener), 3);
        Assert.Single(Kit.OpenSessions).Close();
        Kit.RunUntilIdle();
        Assert.Equal(3, _one.Listener.Drops(DropReason.SessionClosed));
        Kit.AssertNoLeakedBuffers();
        Reply(Asked(Drain<Pack>()).Single(), Theirs);   // too late: the other member is told
        Assert.Equal(0, _one.Figures.Relaying);
        Assert.Single(Overs(Drain<Pack>()));
    }

    [Fact]
    public void Peers_beyond_max_sessions_of_the_listener_are_neither_asked_for_nor_relayed()
    {
        Start(Defaults, maxSessions: 2);
        for (var i = 0; i < 5; i++)
        {
            Kit.UdpPeer($"192.0.2.{i + 1}:4000", _one.Listener).Send("x"u8);
        }

        Kit.RunUntilIdle();
        Assert.Equal(2, _one.Figures.Asked);
        Assert.Equal(3, _one.Listener.Drops(DropReason.MaxSessions));
    }

    [Fact]
    public void What_a_loop_does_not_take_in_time_is_dropped_beyond_the_window_and_counted()
    {
        Start(Defaults);
        Known("192.0.2.1:4000");
        Ask("192.0.2.1:4000");
        var port = Answers(Drain<Pack>()).Single().Remote;
        var received = _upstream.Received.Count;
        var loop = _one.Span.Loops[RelayNotes.LoopOf(port)];
        var pack = PackOf([.. Enumerable.Repeat((port, new byte[1_000]), 60)]).Bytes;
        var runs = new List<PackRun>();
        Assert.True(PackRun.TryRead(pack, runs));
        var arrival = new RelayArrival(_one.Span.Table.PeerOf(_other.Ref)!, pack, [(runs[0], null)]);
        for (var i = 0; i < 20; i++)
        {
            loop.Inbox.Add(arrival, 60);
        }

        var taken = Window / pack.Length;
        Assert.Equal((20 - taken) * 60, _one.Figures.Late);
        Kit.RunUntilIdle();
        Assert.Equal(taken * 60, _upstream.Received.Count - received);
    }

    [Fact]
    public void What_comes_for_a_session_that_is_no_more_is_counted_and_its_member_told()
    {
        Start(Defaults);
        Arrive((Theirs, "a"), (Theirs, "b"));
        Assert.Equal(2, _one.Figures.Lost);
        Assert.Equal([Theirs], Overs(Drain<Pack>()));
    }

    [Fact]
    public void A_session_has_one_way_to_each_member_however_often_it_asks()
    {
        Start(Defaults);
        Known("192.0.2.1:4000");
        for (var i = 0; i < 10; i++)
        {
            Kit.Advance(TimeSpan.FromMilliseconds(5));   // no stream: each answer leaves at once
            Ask("192.0.2.1:4000", port: Theirs + (i << RelayNotes.LoopBits));
        }

        Assert.Equal(1, _one.Figures.Relayed);
        Assert.Equal(10, Answers(Drain<Pack>()).Select(static answer => answer.Remote).Distinct().Count());
    }

    [Fact]
    public void The_ways_of_a_member_that_is_gone_are_forgotten()
    {
        Start(Defaults);
        Known("192.0.2.1:4000");
        Ask("192.0.2.1:4000");
        Assert.Equal(1, _one.Figures.Relayed);

        _one.Span.Table.Remove(_other.Ref, uid: 1);
        Kit.RunUntilIdle();

        Assert.Equal(0, _one.Figures.Relayed);
    }

    [Fact]
    public void Peers_that_are_being_asked_for_are_not_counted_as_had_by_nobody()
    {
        Start(Defaults);
        Say(Kit.UdpPeer("192.0.2.1:4000", _one.Listener), 1);
        Assert.Equal((1, 0), (_one.Figures.Asked, _one.Figures.Nowhere));
        Reply(Asked(Drain<Pack>()).Single(), 0);
        Assert.Equal(1, _one.Figures.Nowhere);

        Kit.Advance(TimeSpan.FromMilliseconds(5));
        Say(Kit.UdpPeer("192.0.2.2:4000", _one.Listener), 1);
        Reply(Asked(Drain<Pack>()).Single(), Theirs);
        Assert.Equal((2, 1, 1), (_one.Figures.Asked, _one.Figures.Found, _one.Figures.Nowhere));
    }

    [Fact]
    public void Notes_that_find_the_window_full_are_no_datagrams_that_are_missed()
    {
        Start(Defaults);
        var peer = Found();
        for (var i = 0; i < 1_000; i++)
        {
            peer.Send(new byte[1_000]);
            Kit.RunUntilIdle();
        }

        var missed = _one.Figures.Behind;
        for (var i = 0; i < 50; i++)
        {
            Say(Kit.UdpPeer($"192.0.2.3:{4_000 + i}", _one.Listener), 1);   // the last of them are not asked for
        }

        Assert.InRange(_one.Figures.Unasked, 1, 50);
        Assert.Equal(missed, _one.Figures.Behind);
        Assert.Equal(missed, _one.Span.Table.PeerOf(_other.Ref)!.Missed);
    }

    [Fact]
    public void A_pack_that_cannot_be_read_is_dropped_and_the_next_is_taken()
    {
        Start(Defaults);
        Known("192.0.2.1:4000");
        _one.Span.Actor.Tell(new Pack(new byte[11]), _other.Ref);
        Arrive((0, "no note"));
        Arrive((0, ""));
        Ask("192.0.2.1:4000");
        Assert.Single(Answers(Drain<Pack>()));
    }

    [Fact]
    public void A_peer_that_two_members_have_a_session_of_goes_to_the_first_that_says_so()
    {
        Start(Defaults);
        var second = CreateTestProbe("second");
        _one.Span.Table.Add(second.Ref, 1);
        _one.Span.Actor.Tell(new RelayHello(RelayHelloKind.Answers), second.Ref);
        var peer = Kit.UdpPeer("192.0.2.1:4000", _one.Listener);
        Say(peer, 1);
        var asked = Asked(Drain<Pack>()).Single();
        Reply(asked, Theirs);
        _one.Span.Actor.Tell(PackOf((0, AnswerOf(asked.Port, Theirs + 64))), second.Ref);
        Kit.RunUntilIdle();
        Assert.Equal(1, _one.Figures.Relaying);
        Assert.Equal("0", Assert.Single(Payloads(Drain<Pack>())).Text);
        Assert.Equal([asked.Port], Overs([.. Drain(second).OfType<Pack>()]));
    }

    [Fact]
    public void It_is_known_while_a_members_relay_has_not_said_that_it_is_there_and_for_three_seconds_at_most()
    {
        var member = Member("finding");
        var (other, silent) = (CreateTestProbe("finding-other"), CreateTestProbe("finding-silent"));
        Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.False(member.Span.IsFinding);   // it is alone

        member.Span.Table.Add(other.Ref, uid: 1);
        Kit.Advance(TimeSpan.FromMilliseconds(400));
        Assert.True(member.Span.IsFinding);
        member.Span.Actor.Tell(new RelayHello(RelayHelloKind.Answers), other.Ref);
        Kit.RunUntilIdle();
        Assert.False(member.Span.IsFinding);

        member.Span.Table.Add(silent.Ref, uid: 2);
        Kit.Advance(TimeSpan.FromMilliseconds(800));
        Assert.True(member.Span.IsFinding);
        Kit.Advance(RelaySpan.FindFor - TimeSpan.FromMilliseconds(800));
        Assert.False(member.Span.IsFinding);   // it has none, or does not answer
    }

    [Fact]
    public void A_member_that_is_not_reached_is_not_asked_and_one_without_a_relay_is_asked_rarely_whether_it_has_one()
    {
        var silent = CreateTestProbe("silent");
        Start(Defaults);
        _one.Span.Table.Add(silent.Ref, 1);
        Kit.Advance(TimeSpan.FromMinutes(2));
        Assert.InRange(Drain(silent).OfType<RelayHello>().Count(), 8, 12);

        _one.Span.Table.Of(_other.Ref)!.IsUnreachable = true;
        _one.Span.Actor.Tell(new RelayHello(RelayHelloKind.Drains), _other.Ref);
        Kit.RunUntilIdle();
        Say(Kit.UdpPeer("192.0.2.1:4000", _one.Listener), 1);
        Assert.Equal(0, _one.Figures.Asked);
        Assert.Single(_upstream.Received);
    }

    private void Start(RelayOptions options, int maxSessions = 1_000, int mailbox = 1_024)
    {
        _one = Member("one", options).Bind(Proxy(Kit), maxSessions: maxSessions, mailbox: mailbox);
        _one.Span.Table.Add(_other.Ref, uid: 1);
        Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.All(Drain<RelayHello>(), static hello => Assert.Equal(RelayHelloKind.Asks, hello.Kind));
        _one.Span.Actor.Tell(new RelayHello(RelayHelloKind.Answers), _other.Ref);
        Kit.RunUntilIdle();
    }

    /// <summary>A peer of this member whose session the other one has.</summary>
    private UdpPeer Found()
    {
        var peer = Kit.UdpPeer("192.0.2.1:4000", _one.Listener);
        Say(peer, 1);
        Reply(Asked(Drain<Pack>()).Single(), Theirs);
        Assert.Single(Payloads(Drain<Pack>()));
        return peer;
    }

    /// <summary>A peer that has a session here.</summary>
    /// <returns>Where its session sends from.</returns>
    private System.Net.IPEndPoint Known(string endPoint)
    {
        Say(Kit.UdpPeer(endPoint, _one.Listener), 1);
        Reply(Asked(Drain<Pack>()).Single(), 0);
        return _upstream.Received[^1].From;
    }

    private void Ask(string endPoint, long port = Theirs)
    {
        var note = new byte[RelayNotes.BytesMax];
        var peer = Router.Net.SocketAddr.From(System.Net.IPEndPoint.Parse(endPoint));
        var length = RelayNotes.WriteQuestion(note, port, isDirect: false, peer, default, "dns");
        _one.Span.Actor.Tell(PackOf((0, note[..length])), _other.Ref);
        Kit.RunUntilIdle();
    }

    private void Reply(RelayQuestion asked, long own)
    {
        _one.Span.Actor.Tell(PackOf((0, AnswerOf(asked.Port, own))), _other.Ref);
        Kit.RunUntilIdle();
    }

    private void Arrive(params (long Port, string Text)[] payloads)
    {
        _one.Span.Actor.Tell(
            PackOf([.. payloads.Select(static each => (each.Port, Encoding.UTF8.GetBytes(each.Text)))]), _other.Ref);
        Kit.RunUntilIdle();
    }

    private static byte[] AnswerOf(long port, long own)
    {
        var note = new byte[RelayNotes.BytesMax];
        return note[..RelayNotes.WriteAnswer(note, port, own)];
    }

    private Pack PackOf(params (long Port, byte[] Payload)[] payloads)
    {
        var builder = new PackBuilder();
        foreach (var (port, payload) in payloads)
        {
            builder.Add(port, payload);
        }

        _position += builder.Length;
        return new Pack(builder.Take(new PackHead(_position, false)));
    }

    private void Say(UdpPeer peer, int count)
    {
        for (var i = 0; i < count; i++)
        {
            peer.Send(Encoding.UTF8.GetBytes($"{i}"));
        }

        Kit.RunUntilIdle();
    }

    private List<T> Drain<T>() => [.. Drain(_other).OfType<T>()];

    private static List<object> Drain(TestProbe probe)
    {
        var messages = new List<object>();
        while (probe.HasMessages)
        {
            messages.Add(probe.ReceiveOne(TimeSpan.Zero));
        }

        return messages;
    }

    private IEnumerable<RelayQuestion> Asked(List<Pack> packs) => NotesOf(packs).OfType<RelayQuestion>();

    private IEnumerable<RelayAnswer> Answers(List<Pack> packs) =>
        NotesOf(packs).OfType<RelayAnswer>().Where(static answer => answer.Remote != 0);

    private List<long> Overs(List<Pack> packs) =>
        [.. NotesOf(packs).OfType<RelayOver>().Select(static over => over.Port)];

    private IEnumerable<RelayNote> NotesOf(List<Pack> packs) =>
        from payload in PayloadsOf(packs)
        where payload.Port == 0
        select RelayNotes.Read(payload.Bytes, _one.Span.Table.PeerOf(_other.Ref)!, loops: 1);

    private static IEnumerable<(long Port, string Text)> Payloads(List<Pack> packs) =>
        from payload in PayloadsOf(packs)
        where payload.Port != 0
        select (payload.Port, Encoding.UTF8.GetString(payload.Bytes));

    private static List<(long Port, byte[] Bytes)> PayloadsOf(List<Pack> packs)
    {
        var payloads = new List<(long, byte[])>();
        foreach (var pack in packs)
        {
            var runs = new List<PackRun>();
            Assert.True(PackRun.TryRead(pack.Bytes, runs));
            foreach (var run in runs)
            {
                ReadOnlySpan<byte> bytes = pack.Bytes.AsSpan(run.Start, run.Length);
                while (PackRun.TryTake(ref bytes, out var payload))
                {
                    payloads.Add((run.Port, payload.ToArray()));
                }
            }
        }

        return payloads;
    }

    private static string TextOf(ReceivedDatagram datagram) => Encoding.UTF8.GetString(datagram.Payload);
}

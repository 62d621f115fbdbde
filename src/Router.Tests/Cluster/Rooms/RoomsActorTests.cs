using System.Text;
using Akka.Cluster.Tools.PublishSubscribe;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Cluster.Packs;
using Router.Cluster.Rooms;
using Router.Loop;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Cluster.Packs;

namespace Router.Tests.Cluster.Rooms;

/// <summary>Rooms between members, the mediator and the other members played by probes.</summary>
public sealed class RoomsActorTests : RouterActorTestKit
{
    private const int Window = 512 << 10;

    private readonly TestProbe _mediator;
    private readonly TestProbe _one;
    private readonly TestProbe _two;
    private readonly RoomSpan _span;

    public RoomsActorTests()
        : base(seed: 1, loops: 2)
    {
        (_mediator, _one, _two) = (CreateTestProbe("mediator"), CreateTestProbe("one"), CreateTestProbe("two"));
        _span = new RoomSpan(Sys, "router", Kit.Loops, Window, Kit.Time, NullLogger.Instance);
        _span.Start(dispatcher: null, _ => _mediator.Ref, static _ => { });
        _span.Table.AddMember(_one.Ref.Path.Address);
        Kit.RunUntilIdle();
    }

    [Fact]
    public void A_room_subscribes_to_its_topic_announces_itself_again_and_again_and_leaves_some_time_after_its_end()
    {
        var port = _span.Open("rooms/red", new Ear());
        Kit.RunUntilIdle();
        var subscribe = _mediator.ExpectMsg<Subscribe>();
        Assert.Equal("room/router/rooms/red", subscribe.Topic);
        _mediator.ExpectNoMsg(TimeSpan.Zero);
        Subscribed(subscribe);
        Assert.Equal([1L], Announced().Ports);
        Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Announced().WantsAnswer);

        port.Close();
        Kit.RunUntilIdle();
        Drain(_mediator);
        Kit.Advance(RoomTopics.Linger - TimeSpan.FromSeconds(1));
        _mediator.ExpectNoMsg(TimeSpan.Zero);
        Kit.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("room/router/rooms/red", _mediator.ExpectMsg<Unsubscribe>().Topic);
    }

    [Fact]
    public void A_room_that_is_there_again_soon_keeps_its_subscription()
    {
        Joined("rooms/red").Close();
        Kit.Advance(RoomTopics.Linger / 2);
        _span.Open("rooms/red", new Ear());
        Kit.Advance(2 * RoomTopics.Linger);
        Assert.All(Drain(_mediator), static message => Assert.IsType<Publish>(message));
    }

    [Fact]
    public void Of_many_rooms_a_few_are_asked_for_at_a_time_and_those_that_are_gone_are_not()
    {
        var ports = Enumerable.Range(0, 1_000).Select(i => _span.Open($"rooms/{i}", new Ear())).ToList();
        Kit.RunUntilIdle();
        var asked = Drain(_mediator).Cast<Subscribe>().ToList();
        Assert.Equal(RoomTopics.AskedMax, asked.Count);
        ports.ForEach(static port => port.Close());
        Kit.RunUntilIdle();
        asked.ForEach(Subscribed);
        Assert.Empty(Drain(_mediator));
    }

    [Fact]
    public void Of_empty_topics_so_many_are_kept_and_no_more()
    {
        for (var i = 0; i <= RoomTopics.EmptyMax; i++)
        {
            Joined($"rooms/{i}").Close();
        }

        Kit.RunUntilIdle();
        Assert.Equal("room/router/rooms/0", Assert.Single(Drain(_mediator).OfType<Unsubscribe>()).Topic);
    }

    [Fact]
    public void Announcements_have_a_limit_in_each_tick_and_all_are_made()
    {
        for (var i = 0; i < 3 * RoomTopics.AnnouncementsPerTick; i++)
        {
            _span.Open($"rooms/{i}", new Ear());
        }

        Kit.RunUntilIdle();
        var announced = new HashSet<string>(StringComparer.Ordinal);
        for (var tick = 0; tick < 60; tick++)
        {
            var publishes = 0;
            foreach (var message in Drain(_mediator))
            {
                if (message is Subscribe subscribe)
                {
                    Subscribed(subscribe);
                }
                else if (message is Publish publish)
                {
                    publishes++;
                    announced.Add(publish.Topic);
                }
            }

            Assert.InRange(publishes, 0, 2 * RoomTopics.AnnouncementsPerTick);   // a look may see two ticks' ends
            Kit.Advance(TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(3 * RoomTopics.AnnouncementsPerTick, announced.Count);
    }

    [Fact]
    public void Announcements_become_rare_and_ask_for_no_answers_until_there_is_a_member_that_may_not_know()
    {
        var topics = new RoomTopics(_mediator.Ref, Kit.Time);
        topics.Add((RoomPort)_span.Open("rooms/red", new Ear()), TestActor);
        topics.OnSubscribed("room/router/rooms/red", TestActor);
        for (var tick = 0; tick < 600; tick++)
        {
            Kit.Advance(TimeSpan.FromMilliseconds(200));
            topics.OnTick(TestActor);
        }

        var said = Drain(_mediator).OfType<Publish>().Select(static publish => (RoomHello)publish.Message).ToList();
        Assert.InRange(said.Count, 8, 14);   // in two minutes
        Assert.Equal(6, said.Count(static hello => hello.WantsAnswer));

        topics.AnnounceAll();
        topics.OnTick(TestActor);
        Assert.True(Announced().WantsAnswer);
    }

    [Fact]
    public void Whoever_announces_itself_is_answered_and_from_then_on_sent_what_is_said_in_packs()
    {
        var (red, blue) = (Joined("rooms/red"), Joined("rooms/blue"));
        Say(red, "nobody hears this");
        Hello(_one, "rooms/red", 17);
        Hello(_two, "rooms/red", 71);
        Assert.Equal([1L], _one.ExpectMsg<RoomHello>().Ports);
        _two.ExpectMsg<RoomHello>();
        Hello(_one, "rooms/blue", 18);
        Hello(_one, "rooms/green", 19);   // where nobody is
        Assert.Equal([2L], _one.ExpectMsg<RoomHello>().Ports);

        InPass(loop =>
        {
            Assert.Equal(0, red.Say(loop, "a"u8));
            Assert.Equal(0, red.Say(loop, ""u8));
            Assert.Equal(0, blue.Say(loop, "c"u8));
            Assert.Equal(0, red.Say(loop, "d"u8));
        });
        Assert.Equal(["17:a", "17:", "18:c", "17:d"], PackText.Of(_one.ExpectMsg<Pack>()));
        Assert.Equal(["71:a", "71:", "71:d"], PackText.Of(_two.ExpectMsg<Pack>()));
        _one.ExpectNoMsg(TimeSpan.Zero);
        Assert.Equal(7, _span.Figures.Published);
        Assert.Equal(2, _span.Figures.Packs);
        Assert.Equal((2, 3), (_span.Figures.Rooms, _span.Figures.Listeners));
    }

    [Fact]
    public void A_pass_that_says_much_sends_in_between_and_no_pack_is_beyond_the_frame()
    {
        var red = Joined("rooms/red");
        Hello(_one, "rooms/red", 17);
        _one.ExpectMsg<RoomHello>();
        var payload = new byte[65_507];
        InPass(loop =>
        {
            for (var i = 0; i < 3; i++)
            {
                red.Say(loop, payload.AsSpan(0, 20_000));
                red.Say(loop, payload);
            }
        });
        var packs = Drain(_one).Cast<Pack>().ToList();
        Assert.Equal(6, packs.Count);
        Assert.All(packs, static pack => Assert.InRange(pack.Bytes.Length, 20_000, 66_000));
        Assert.Equal(packs.Sum(static pack => (long)pack.Bytes.Length), packs[^1].Head.Position);
    }

    [Fact]
    public void A_member_that_does_not_acknowledge_misses_what_is_beyond_the_window_and_others_miss_nothing()
    {
        var red = Joined("rooms/red");
        Hello(_one, "rooms/red", 17);
        Hello(_two, "rooms/red", 71);
        Drain(_one);
        var missed = 0;
        for (var i = 0; i < 2_000; i++)
        {
            InPass(loop => missed += red.Say(loop, new byte[1_000]));
            foreach (var message in Drain(_two).OfType<Pack>())
            {
                _span.Rooms.Tell(new PackAck(message.Head.Position), _two.Ref);
            }
        }

        Assert.Equal(missed, _span.Figures.Behind);
        var packs = Drain(_one).OfType<Pack>().ToList();
        Assert.InRange(packs[^1].Head.Position, Window - PackBuilder.FlushBytes - 2_000, Window);
        Assert.Equal(packs[^1].Head.Position, _span.Figures.OnTheWay);   // to the other one nothing is

        // Nothing is sent any more that could be acknowledged: so it is asked, and then goes on.
        Kit.Advance(TimeSpan.FromSeconds(1));
        var probe = Drain(_one).OfType<PackProbe>().First();
        Assert.Equal(packs[^1].Head.Position, probe.Position);
        _span.Rooms.Tell(new PackAck(probe.Position), _one.Ref);
        Kit.RunUntilIdle();
        packs.AddRange(Drain(_one).OfType<Pack>());   // what was held
        Assert.Equal(2_000 - missed, packs.Sum(static pack => PackText.Of(pack).Count));
        Kit.Advance(TimeSpan.FromSeconds(1));
        Drain(_one);
        Say(red, "again");
        Assert.Equal(["17:again"], PackText.Of(_one.ExpectMsg<Pack>()));
    }

    [Fact]
    public void What_comes_is_heard_on_the_loops_where_sessions_are_in_its_order_and_acknowledged()
    {
        var (red, blue) = (new Ear(Kit.Loops[0]), new Ear(Kit.Loops[0], Kit.Loops[1]));
        _span.Open("rooms/red", red);
        _span.Open("rooms/blue", blue);
        Kit.RunUntilIdle();
        var position = 0L;
        for (var i = 0; i < 300; i++)
        {
            _span.Rooms.Tell(PackOf(ref position, (1, $"r{i}"), (2, $"b{i}"), (2, new string('x', 1_000))), _one.Ref);
        }

        Kit.RunUntilIdle();
        Assert.Equal(Enumerable.Range(0, 300).Select(static i => $"0:r{i}"), red.Heard);
        Assert.Equal(
            Enumerable.Range(0, 300).Select(static i => $"0:b{i}"),
            blue.Heard.Where(static said => said.StartsWith("0:b", StringComparison.Ordinal)));
        Assert.Equal(1_200, blue.Heard.Count);
        Assert.Equal(900, _span.Figures.Received);
        var acks = Drain(_one).Cast<PackAck>().ToList();
        Assert.Equal(2, acks.Count);
        Assert.InRange(acks[^1].Position, 256 << 10, position);
    }

    [Fact]
    public void What_a_loop_does_not_take_in_time_is_dropped_beyond_the_window_and_counted()
    {
        var inbox = _span.Inboxes[0];
        var ear = new Ear(Kit.Loops[0]);
        var position = 0L;
        var pack = PackOf(ref position, [.. Enumerable.Repeat((1L, new string('x', 1_000)), 60)]).Bytes;
        var runs = new List<PackRun>();
        Assert.True(PackRun.TryRead(pack, runs));
        var arrival = new RoomArrival(pack, [(ear, runs[0])]);
        for (var i = 0; i < 20; i++)
        {
            inbox.Add(arrival, 60);
        }

        var taken = Window / pack.Length;
        Assert.Equal((20 - taken) * 60, inbox.Late);
        Kit.RunUntilIdle();
        Assert.Equal(taken * 60, ear.Heard.Count);
        inbox.Add(arrival, 60);
        Kit.RunUntilIdle();
        Assert.Equal((taken + 1) * 60, ear.Heard.Count);   // the room that it took is there again
    }

    [Fact]
    public void A_member_is_told_when_nobody_hears_it_any_more_and_not_sent_anything_after_it_says_so()
    {
        var red = Joined("rooms/red");
        Hello(_one, "rooms/red", 17);
        _one.ExpectMsg<RoomHello>();
        red.Close();
        Kit.RunUntilIdle();
        Assert.Equal([1L], _one.ExpectMsg<RoomBye>().Ports);
        var position = 0L;
        _span.Rooms.Tell(PackOf(ref position, (1, "late"), (1, "later")), _one.Ref);
        _span.Rooms.Tell(PackOf(ref position, (1, "latest")), _one.Ref);
        Kit.RunUntilIdle();
        Assert.Equal([1L], _one.ExpectMsg<RoomBye>().Ports);   // once in a tick
        _one.ExpectNoMsg(TimeSpan.Zero);

        var blue = Joined("rooms/blue");
        Hello(_one, "rooms/blue", 18, 19);
        _one.ExpectMsg<RoomHello>();
        _span.Rooms.Tell(new RoomBye([18L]), _one.Ref);
        Kit.RunUntilIdle();
        Say(blue, "x");
        Assert.Equal(["19:x"], PackText.Of(_one.ExpectMsg<Pack>()));
        _span.Rooms.Tell(new RoomBye([19L]), _one.Ref);
        Kit.RunUntilIdle();
        Say(blue, "y");
        _one.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Rooms_of_a_route_and_of_the_one_that_a_reload_put_in_its_place_are_each_heard_by_the_others()
    {
        var (old, fresh) = (Joined("rooms/red"), _span.Open("rooms/red", new Ear()));
        Kit.RunUntilIdle();
        Assert.Equal([1L, 2L], Announced().Ports);
        Hello(_one, "rooms/red", 17);
        Assert.Equal([1L, 2L], _one.ExpectMsg<RoomHello>().Ports);
        Say(old, "old");
        Say(fresh, "fresh");
        Assert.Equal(["17:old"], PackText.Of(_one.ExpectMsg<Pack>()));
        var last = _one.ExpectMsg<Pack>();
        Assert.Equal(["17:fresh"], PackText.Of(last));

        old.Close();
        Kit.RunUntilIdle();
        Assert.Equal([1L], _one.ExpectMsg<RoomBye>().Ports);
        _span.Rooms.Tell(new PackAck(last.Head.Position), _one.Ref);
        Say(fresh, "still");
        Assert.Equal(["17:still"], PackText.Of(_one.ExpectMsg<Pack>()));
    }

    [Fact]
    public void A_pack_that_cannot_be_read_is_dropped_and_the_next_is_heard()
    {
        var ear = new Ear(Kit.Loops[0]);
        Joined("rooms/red", ear);
        _span.Rooms.Tell(new Pack(new byte[11]), _one.Ref);
        var position = 0L;
        _span.Rooms.Tell(PackOf(ref position, (1, "a")), _one.Ref);
        Kit.RunUntilIdle();
        Assert.Equal(["0:a"], ear.Heard);
    }

    [Fact]
    public void A_member_that_is_removed_is_sent_nothing_and_one_that_is_none_is_not_heard()
    {
        var ear = new Ear(Kit.Loops[0]);
        var red = Joined("rooms/red", ear);
        Hello(_one, "rooms/red", 17);
        _one.ExpectMsg<RoomHello>();
        _span.Table.RemoveMember(_one.Ref.Path.Address);
        Say(red, "x");
        Hello(_one, "rooms/red", 17);
        Say(red, "y");
        var position = 0L;
        _span.Rooms.Tell(PackOf(ref position, (1, "z")), _one.Ref);
        Kit.RunUntilIdle();
        _one.ExpectNoMsg(TimeSpan.Zero);
        Assert.Empty(ear.Heard);
        Assert.Equal(0, _span.Figures.Listeners);
    }

    [Fact]
    public async Task When_it_ends_others_are_told()
    {
        Joined("rooms/red");
        Hello(_one, "rooms/red", 17);
        _one.ExpectMsg<RoomHello>();
        var stopped = _span.StopAsync(TimeSpan.FromSeconds(1));
        Kit.RunUntilIdle();
        Assert.Equal([1L], _one.ExpectMsg<RoomBye>().Ports);
        await stopped;
    }

    private static Pack PackOf(ref long position, params (long Port, string Payload)[] payloads)
    {
        var builder = new PackBuilder();
        foreach (var (port, payload) in payloads)
        {
            builder.Add(port, Encoding.ASCII.GetBytes(payload));
        }

        position += builder.Length;
        return new Pack(builder.Take(new PackHead(position, false)));
    }

    private IRoomReach Joined(string name, Ear? ear = null)
    {
        var port = _span.Open(name, ear ?? new Ear());
        Kit.RunUntilIdle();
        Subscribed(Drain(_mediator).OfType<Subscribe>().Single());
        Drain(_mediator);
        return port;
    }

    private void Subscribed(Subscribe subscribe)
    {
        _span.Rooms.Tell(new SubscribeAck(subscribe), _mediator.Ref);
        Kit.RunUntilIdle();
    }

    private RoomHello Announced() => (RoomHello)Drain(_mediator).OfType<Publish>().Last().Message;

    private void Hello(TestProbe from, string room, params long[] ports)
    {
        _span.Rooms.Tell(new RoomHello($"room/router/{room}", true, ports), from.Ref);
        Kit.RunUntilIdle();
    }

    private void Say(IRoomReach room, string payload) =>
        InPass(loop => room.Say(loop, Encoding.ASCII.GetBytes(payload)));

    private void InPass(Action<IoLoop> say)
    {
        var loop = Kit.Loops[0];
        loop.Enqueue(new ActionRunnable(() => say(loop)));
        Kit.RunUntilIdle();
    }

    private static List<object> Drain(TestProbe probe)
    {
        var messages = new List<object>();
        while (probe.HasMessages)
        {
            messages.Add(probe.ReceiveOne(TimeSpan.Zero));
        }

        return messages;
    }

    /// <summary>A room with sessions on some loops; on none, it only says something.</summary>
    private sealed class Ear(params IoLoop[] loops) : IRoomHearer
    {
        public List<string> Heard { get; } = [];

        public bool IsHeardOn(IoLoop loop) => loops.Contains(loop);

        public void Hear(IoLoop loop, ReadOnlySpan<byte> payload)
        {
            Assert.True(loop.IsCurrent);
            Heard.Add($"{loop.Index}:{Encoding.ASCII.GetString(payload)}");
        }
    }
}

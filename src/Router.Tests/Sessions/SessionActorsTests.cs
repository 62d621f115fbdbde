using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A session is an actor among actors: told, asked, watched; a parent, and a watcher.</summary>
public sealed class SessionActorsTests
{
    private const string PeerName = "192.0.2.7:5000";
    private const int Patience = 30_000;   // ms

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_question_to_a_session_is_answered_through_its_sender(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var session = Open(kit, onPool, () => new ScriptHandler
        {
            Message = (session, message) => session.Sender.Tell($"{message}!", session.Self),
        });

        var answer = session.Self.Ask<string>("who");
        kit.RunUntilIdle();

        Assert.True(answer.IsCompletedSuccessfully);
        Assert.Equal("who!", await answer);
    }

    /// <summary>A router that comes after another makes sessions of the same paths: uids tell them apart.</summary>
    [Fact]
    public void Sessions_of_one_path_in_two_runs_have_references_that_differ()
    {
        static ActorPath PathOf(long seed)
        {
            using var kit = new RouterTestKit(seed);
            return Open(kit, onPool: false, static () => new ScriptHandler()).Self.Path;
        }

        var (one, other) = (PathOf(1), PathOf(2));

        Assert.Equal(one.ToStringWithoutAddress(), other.ToStringWithoutAddress());
        Assert.NotEqual(one.Uid, other.Uid);
        Assert.InRange(one.Uid, 1, int.MaxValue);
    }

    [Fact]
    public void Outside_of_a_message_the_sender_is_dead_letters()
    {
        using var kit = new RouterTestKit(seed: 1);
        var senders = new List<IActorRef>();
        var session = Open(kit, onPool: false, () => new ScriptHandler
        {
            Opened = session => senders.Add(session.Sender),
            Received = (session, _) => senders.Add(session.Sender),
            Message = (session, _) => senders.Add(session.Sender),
        });
        session.Self.Tell("nobody says so", ActorRefs.NoSender);
        session.Self.Tell("somebody does", session.Self);
        kit.RunUntilIdle();

        var dead = kit.Sys.DeadLetters;
        Assert.Equal([dead, dead, dead, session.Self], senders);
    }

    [Fact]
    public void What_a_task_ends_with_is_piped_to_a_session()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer(PeerName, kit.BindUdp(() => new ScriptHandler
        {
            Opened = session => session.MarkPeerValidated(),
            Message = (session, message) => session.Reply($"{message}"),
        }));
        peer.Send("a"u8);
        kit.RunUntilIdle();

        var piping = Task.FromResult("piped").PipeTo(kit.SessionOf(peer.EndPoint).Self);
        Assert.True(SpinWait.SpinUntil(() => piping.IsCompleted, Patience));   // on the thread pool
        kit.RunUntilIdle();

        Assert.Equal(["a", "piped"], peer.ReceivedText);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_watches_a_session_is_told_of_its_end(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var session = Open(kit, onPool, () => new ScriptHandler());
        var seen = new List<object>();
        kit.Sys.ActorOf(Props.Create(() => new Watcher(session.Self, seen)));
        kit.RunUntilIdle();
        var self = session.Self;

        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(self, Assert.IsType<Terminated>(Assert.Single(seen)).ActorRef);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_child_works_for_its_session_and_ends_with_it(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var stopped = new List<string>();
        var peer = OpenPeer(kit, onPool, () => new ScriptHandler
        {
            Opened = session => session.ActorOf(Props.Create(() => new Doubler("one", stopped)), "one"),
            Received = (session, text) => session.Child("one").Tell(text, session.Self),
            Message = (session, message) => session.Reply($"{message}"),
        });
        Assert.Equal(["aa"], peer.ReceivedText);
        Assert.Empty(stopped);

        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(["one"], stopped);
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_children_of_a_failed_handler_end_before_the_fresh_one_makes_its_own(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var stopped = new List<string>();
        var made = 0;
        var peer = OpenPeer(kit, onPool, () => new ScriptHandler
        {
            Opened = session =>
            {
                var name = $"{++made}";
                session.ActorOf(Props.Create(() => new Doubler(name, stopped)), "one");
            },
            Received = (session, text) => session.Child("one").Tell(
                text == "boom" ? throw new InvalidOperationException(text) : text, session.Self),
            Message = (session, message) => session.Reply($"{message}"),
        });

        peer.Send("boom"u8);
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal((2, 1), (made, kit.SessionOf(peer.EndPoint).Restarts));
        Assert.Equal(["1"], stopped);
        Assert.Equal(["aa", "bb"], peer.ReceivedText);
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_session_that_is_stopped_while_its_failed_handlers_children_end_ends_as_failed(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var stopped = new List<string>();
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Opened = session => session.ActorOf(Props.Create(() => new Doubler("one", stopped)), "one"),
                Received = (session, text) => session.Reply(
                    text == "boom" ? throw new InvalidOperationException(text) : text),
            },
            limits: kit.Limits with { OnPool = onPool });
        var peer = kit.UdpPeer(PeerName, listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var self = kit.SessionOf(peer.EndPoint).Self;
        peer.Send("boom"u8);
        for (var pass = 0; pass < 100 && listener.Shards[0].Restarting.Count == 0; pass++)
        {
            if (onPool)
            {
                kit.RunPass();
            }
            else
            {
                kit.Loops[0].RunOnce(block: false);   // its children, on the pool, do not run
            }
        }

        ((IInternalActorRef)self).Stop();
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(["one"], stopped);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_listener_that_fails_leaves_handlers_and_their_children_where_they_are()
    {
        using var kit = new RouterTestKit(seed: 1);
        var stopped = new List<string>();
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Opened = session => session.ActorOf(Props.Create(() => new Doubler("one", stopped)), "one"),
            Received = (session, text) => session.Child("one").Tell(text, session.Self),
            Message = (session, message) => session.Reply($"{message}"),
        });
        var peer = kit.UdpPeer(PeerName, listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var child = kit.SessionOf(peer.EndPoint).Child("one");

        kit.Sys.ActorSelection($"{listener.Actor.Path}/*").Tell(Kill.Instance);
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(["aa", "bb"], peer.ReceivedText);
        Assert.Equal(child, kit.SessionOf(peer.EndPoint).Child("one"));
        Assert.Equal(0, kit.SessionOf(peer.EndPoint).Restarts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_end_of_a_watched_actor_comes_as_a_message(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var backend = kit.Sys.ActorOf(Props.Create(() => new Doubler("backend", new List<string>())));
        var other = kit.Sys.ActorOf(Props.Create(() => new Doubler("other", new List<string>())));
        var seen = new List<object>();
        Open(kit, onPool, () => new ScriptHandler
        {
            Opened = session =>
            {
                session.Watch(backend);
                session.Watch(other);
                session.Unwatch(other);
            },
            Message = (_, message) => seen.Add(message),
        });

        kit.Sys.Stop(backend);
        kit.Sys.Stop(other);
        kit.RunUntilIdle();

        Assert.Equal(backend, Assert.IsType<Terminated>(Assert.Single(seen)).ActorRef);
    }

    [Fact]
    public void A_session_stops_its_own_children_only()
    {
        using var kit = new RouterTestKit(seed: 1);
        var stopped = new List<string>();
        var stranger = kit.Sys.ActorOf(Props.Create(() => new Doubler("stranger", stopped)));
        var refused = new List<string?>();
        var session = Open(kit, onPool: false, () => new ScriptHandler
        {
            Opened = session =>
            {
                session.Watch(session.ActorOf(Props.Create(() => new Doubler("own", stopped)), "own"));
                refused.Add(Assert.Throws<ArgumentException>(() => session.Stop(stranger)).ParamName);
                refused.Add(Assert.Throws<ArgumentException>(() => session.Stop(session.Self)).ParamName);
            },
            Message = (session, message) =>
            {
                if (message is string)
                {
                    session.Stop(session.Child("own"));
                }
            },
        });
        session.Self.Tell("stop");
        kit.RunUntilIdle();

        Assert.Equal(["own"], stopped);
        Assert.Equal(["child", "child"], refused);
        Assert.Equal(ActorRefs.Nobody, session.Child("own"));
    }

    private static SessionContext Open(RouterTestKit kit, bool onPool, Func<SessionHandler> create) =>
        kit.SessionOf(OpenPeer(kit, onPool, create).EndPoint);

    private static UdpPeer OpenPeer(RouterTestKit kit, bool onPool, Func<SessionHandler> create)
    {
        var peer = kit.UdpPeer(PeerName, kit.BindUdp(create, limits: kit.Limits with { OnPool = onPool }));
        peer.Send("a"u8);
        kit.RunUntilIdle();
        return peer;
    }

    /// <summary>Answers text twice over.</summary>
    private sealed class Doubler : ReceiveActor
    {
        private readonly string _name;
        private readonly List<string> _stopped;

        public Doubler(string name, List<string> stopped)
        {
            (_name, _stopped) = (name, stopped);
            Receive<string>(text => Sender.Tell(text + text));
        }

        protected override void PostStop() => _stopped.Add(_name);
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef watched, List<object> seen)
        {
            Context.Watch(watched);
            ReceiveAny(seen.Add);
        }
    }
}

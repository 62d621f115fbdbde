namespace Router.Tests.Actors;

public sealed class BehaviorTests : ActorTestKit
{
    [Fact]
    public void Become_replaces_and_BecomeStacked_can_be_undone()
    {
        var actor = Sys.ActorOf<Moody>();
        actor.Tell("x");
        ExpectMsg("neutral");
        actor.Tell("happy");
        actor.Tell("x");
        ExpectMsg("happy");
        actor.Tell("angry on top");
        actor.Tell("x");
        ExpectMsg("angry");
        actor.Tell("undo");
        actor.Tell("x");
        ExpectMsg("happy");
        actor.Tell("undo");
        actor.Tell("x");
        ExpectMsg("neutral");
    }

    [Fact]
    public void A_restart_goes_back_to_the_first_behavior()
    {
        var actor = Sys.ActorOf<Moody>();
        actor.Tell("happy");

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => actor.Tell("crash"));

        actor.Tell("x");
        ExpectMsg("neutral");
    }

    [Fact]
    public void ReceiveActor_calls_the_first_handler_that_fits()
    {
        var actor = Sys.ActorOf<Picky>();
        actor.Tell(1);
        ExpectMsg("small");
        actor.Tell(100);
        ExpectMsg("number");
        actor.Tell("text");
        ExpectMsg("text");
        EventFilter.DeadLetter().Expect(0, () => actor.Tell(1.5));
        actor.Tell("closed");
        actor.Tell(1);
        ExpectMsg("closed");
    }

    [Fact]
    public void What_no_handler_fits_is_unhandled()
    {
        var actor = Sys.ActorOf<Picky>();
        Sys.EventStream.Subscribe(TestActor, typeof(UnhandledMessage));

        actor.Tell(1.5);

        Assert.Equal(1.5, ExpectMsg<UnhandledMessage>().Message);
    }

    [Fact]
    public void Stashed_messages_come_back_in_order_and_before_what_waits()
    {
        var actor = Sys.ActorOf<Stashing>();
        using var gate = new ManualResetEventSlim();
        actor.Tell(1);
        actor.Tell(2);
        actor.Tell(gate);
        actor.Tell("open");
        actor.Tell(3);
        gate.Set();

        Assert.Equal([1, 2, 3], ReceiveN(3));
    }

    [Fact]
    public void Stashed_messages_keep_their_sender()
    {
        var actor = Sys.ActorOf<Stashing>();
        var probe = CreateTestProbe();
        probe.Send(actor, 1);

        actor.Tell("open");

        probe.ExpectMsg(1);
    }

    [Fact]
    public void A_restart_puts_stashed_messages_back()
    {
        var actor = Sys.ActorOf<Stashing>();
        actor.Tell(1);
        actor.Tell(2);

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => actor.Tell("crash"));

        actor.Tell("open");
        Assert.Equal([1, 2], ReceiveN(2));
    }

    [Fact]
    public void Messages_stashed_at_the_end_are_dead_letters()
    {
        var actor = Sys.ActorOf<Stashing>();
        actor.Tell(1);
        actor.Tell(2);

        EventFilter.DeadLetter<int>().Expect(2, () => actor.Tell(PoisonPill.Instance));
    }

    private sealed class Moody : UntypedActor
    {
        protected override void OnReceive(object message) => Answer(message, "neutral");

        private void Answer(object message, string mood)
        {
            switch (message)
            {
                case "happy":
                    BecomeStacked(next => Answer(next, "happy"));
                    break;
                case "angry on top":
                    BecomeStacked(next => Answer(next, "angry"));
                    break;
                case "undo":
                    UnbecomeStacked();
                    break;
                case "crash":
                    throw new InvalidOperationException("crash");
                default:
                    Sender.Tell(mood);
                    break;
            }
        }
    }

    private sealed class Picky : ReceiveActor
    {
        public Picky()
        {
            Receive<int>(_ => Sender.Tell("small"), number => number < 10);
            Receive<int>(_ => Sender.Tell("number"));
            Receive<string>(text =>
            {
                if (text == "closed")
                {
                    Become(() => ReceiveAny(_ => Sender.Tell("closed")));
                }
                else
                {
                    Sender.Tell(text);
                }
            });
        }
    }

    private sealed class Stashing : UntypedActor, IWithStash
    {
        private bool _open;

        public IStash Stash { get; set; } = null!;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "open":
                    _open = true;
                    Stash.UnstashAll();
                    break;
                case "crash":
                    throw new InvalidOperationException("crash");
                case ManualResetEventSlim gate:
                    gate.Wait();
                    break;
                case var other when _open:
                    Sender.Tell(other);
                    break;
                default:
                    Stash.Stash();
                    break;
            }
        }
    }
}

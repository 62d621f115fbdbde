namespace Router.Tests.Actors;

public sealed class DeliveryTests : ActorTestKit
{
    private sealed class Counter : UntypedActor
    {
        private readonly IActorRef _probe;
        private readonly int _expected;
        private int _inside;
        private int _count;

        public Counter(IActorRef probe, int expected)
        {
            _probe = probe;
            _expected = expected;
        }

        protected override void OnReceive(object message)
        {
            var overlapped = Interlocked.Increment(ref _inside) != 1;
            _count++;
            Thread.SpinWait(20);
            Interlocked.Decrement(ref _inside);
            if (overlapped || _count == _expected)
            {
                _probe.Tell(overlapped ? "overlap" : _count);
            }
        }
    }

    private sealed record Numbered(int Sender, int Number);

    private sealed class OrderKeeper : UntypedActor
    {
        private readonly IActorRef _probe;
        private readonly int[] _last;
        private int _left;

        public OrderKeeper(IActorRef probe, int senders, int each)
        {
            _probe = probe;
            _last = new int[senders];
            _left = senders * each;
        }

        protected override void OnReceive(object message)
        {
            var (sender, number) = (Numbered)message;
            if (number != _last[sender] + 1)
            {
                _probe.Tell($"sender {sender}: {number} after {_last[sender]}");
            }

            _last[sender] = number;
            if (--_left == 0)
            {
                _probe.Tell("all");
            }
        }
    }

    [Fact]
    public void An_actor_handles_one_message_at_a_time()
    {
        const int Senders = 4;
        const int Each = 5_000;
        var counter = Sys.ActorOf(Props.Create(() => new Counter(TestActor, Senders * Each)));

        Parallel.For(0, Senders, _ =>
        {
            for (var i = 0; i < Each; i++)
            {
                counter.Tell("count");
            }
        });

        ExpectMsg(Senders * Each, TimeSpan.FromSeconds(30));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Eight_senders_lose_nothing_and_each_keeps_its_order()
    {
        const int Senders = 8;
        const int Each = 100_000;
        var keeper = Sys.ActorOf(Props.Create(() => new OrderKeeper(TestActor, Senders, Each)));

        var threads = Enumerable.Range(0, Senders).Select(sender => new Thread(() =>
        {
            for (var number = 1; number <= Each; number++)
            {
                keeper.Tell(new Numbered(sender, number), ActorRefs.NoSender);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        ExpectMsg("all", TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Order_of_a_sender_holds_when_it_moves_between_threads()
    {
        const int Each = 2_000;
        var keeper = Sys.ActorOf(Props.Create(() => new OrderKeeper(TestActor, 1, Each)));

        for (var number = 1; number <= Each; number++)
        {
            if (number % 100 == 0)
            {
                var last = number;
                var thread = new Thread(() => keeper.Tell(new Numbered(0, last), ActorRefs.NoSender));
                thread.Start();
                thread.Join();
            }
            else
            {
                keeper.Tell(new Numbered(0, number), ActorRefs.NoSender);
            }
        }

        ExpectMsg("all", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Stop_goes_before_user_messages_that_wait()
    {
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var actor = Sys.ActorOf(Props.Create(() => new Blocking(TestActor, gate, entered)));
        Watch(actor);

        actor.Tell("first");
        entered.Wait();
        actor.Tell("second");
        ((IInternalActorRef)actor).Stop();   // at once: Sys.Stop asks the guardian to
        gate.Set();

        ExpectMsg("first");
        ExpectTerminated(actor);
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void PoisonPill_waits_for_its_turn_among_user_messages()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Reporter(TestActor)));
        Watch(actor);
        ExpectMsg("constructed");
        ExpectMsg("pre-start");

        actor.Tell("first");
        actor.Tell(PoisonPill.Instance);
        actor.Tell("second");

        ExpectMsg("first");
        ExpectMsg("post-stop");
        ExpectTerminated(actor);
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Forward_keeps_the_sender()
    {
        var probe = CreateTestProbe();
        var forwarder = Sys.ActorOf(Props.Create(() => new Forwarder(probe.Ref)));

        forwarder.Tell("hello");

        probe.ExpectMsg("hello");
        Assert.Equal(TestActor, probe.LastSender);
    }

    [Fact]
    public void A_message_without_a_sender_shows_the_dead_letters_as_sender()
    {
        var probe = CreateTestProbe();
        probe.Ref.Tell("hello", ActorRefs.NoSender);

        probe.ExpectMsg("hello");
        Assert.Equal(Sys.DeadLetters, probe.LastSender);
    }

    [Fact]
    public void Telling_null_is_refused() =>
        Assert.Throws<ArgumentNullException>(() => TestActor.Tell(null!));

    [Fact]
    public void Identify_is_answered_by_the_kernel()
    {
        var actor = Sys.ActorOf<Echo>();

        actor.Tell(new Identify(7));

        var identity = ExpectMsg<ActorIdentity>();
        Assert.Equal(7, identity.MessageId);
        Assert.Equal(actor, identity.Subject);
    }

    private sealed class Forwarder : UntypedActor
    {
        private readonly IActorRef _target;

        public Forwarder(IActorRef target) => _target = target;

        protected override void OnReceive(object message) => _target.Forward(message);
    }

    private sealed class Blocking : UntypedActor
    {
        private readonly IActorRef _probe;
        private readonly ManualResetEventSlim _gate;
        private readonly ManualResetEventSlim _entered;

        public Blocking(IActorRef probe, ManualResetEventSlim gate, ManualResetEventSlim entered)
        {
            _probe = probe;
            _gate = gate;
            _entered = entered;
        }

        protected override void OnReceive(object message)
        {
            _entered.Set();
            _gate.Wait();
            _probe.Tell(message);
        }
    }
}

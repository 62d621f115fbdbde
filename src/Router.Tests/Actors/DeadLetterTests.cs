using Akka.Configuration;

namespace Router.Tests.Actors;

public sealed class DeadLetterTests : ActorTestKit
{
    [Fact]
    public void A_message_to_a_dead_actor_is_published_with_sender_and_recipient()
    {
        var actor = StoppedActor();
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));

        actor.Tell("too late");

        var letter = ExpectMsg<DeadLetter>();
        Assert.Equal("too late", letter.Message);
        Assert.Equal(TestActor, letter.Sender);
        Assert.Equal(actor, letter.Recipient);
    }

    [Fact]
    public void Messages_that_waited_when_the_actor_stopped_are_dead_letters_in_order()
    {
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var actor = Sys.ActorOf(Props.Create(() => new Gated(gate, entered)));
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        actor.Tell("first");
        entered.Wait();
        for (var i = 0; i < 10; i++)
        {
            actor.Tell(i);
        }

        ((IInternalActorRef)actor).Stop();   // at once: Sys.Stop asks the guardian to
        gate.Set();

        ExpectMsg("first");
        for (var i = 0; i < 10; i++)
        {
            ExpectMsg<DeadLetter>(letter => Assert.Equal(i, letter.Message));
        }
    }

    [Fact]
    public void PoisonPill_and_Terminated_are_not_worth_a_dead_letter()
    {
        var actor = StoppedActor();

        EventFilter.DeadLetter().Expect(1, () =>
        {
            actor.Tell(PoisonPill.Instance);
            actor.Tell("counts");
        });
    }

    [Fact]
    public void What_is_told_to_the_dead_letters_is_one()
    {
        EventFilter.DeadLetter<string>().ExpectOne(() => Sys.DeadLetters.Tell("nobody's"));
    }

    [Fact]
    public void Identify_of_a_dead_actor_is_answered_with_no_subject()
    {
        var actor = StoppedActor();

        actor.Tell(new Identify("id"));

        Assert.Null(ExpectMsg<ActorIdentity>().Subject);
    }

    [Fact]
    public void An_unhandled_message_is_published()
    {
        var actor = Sys.ActorOf<Deaf>();
        Sys.EventStream.Subscribe(TestActor, typeof(UnhandledMessage));

        actor.Tell("hello?");

        var unhandled = ExpectMsg<UnhandledMessage>();
        Assert.Equal("hello?", unhandled.Message);
        Assert.Equal(actor, unhandled.Recipient);
        Assert.Equal(TestActor, unhandled.Sender);
    }

    [Fact]
    public void A_full_mailbox_makes_dead_letters_and_takes_again_when_there_is_room()
    {
        using var system = ActorSystem.Create(
            "bounded", Configured(ActorTestSettings.SmallMailbox));
        using var gate = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var actor = system.ActorOf(
            Props.Create(() => new Gated(gate, entered)).WithMailbox("small-mailbox"));
        system.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        actor.Tell("handled");
        entered.Wait();

        actor.Tell("waits one");
        actor.Tell("waits two");
        actor.Tell("overflows");

        Assert.Equal("overflows", ExpectMsg<DeadLetter>().Message);
        gate.Set();
        ExpectMsgAllOf(new[] { "handled", "waits one", "waits two" });
        actor.Tell("fits");
        ExpectMsg("fits");
    }

    private static Config Configured(string hocon) =>
        ConfigurationFactory.ParseString(hocon);

    private IActorRef StoppedActor()
    {
        var actor = Sys.ActorOf<Echo>();
        Watch(actor);
        Sys.Stop(actor);
        ExpectTerminated(actor);
        return actor;
    }

    private sealed class Gated : UntypedActor
    {
        private readonly ManualResetEventSlim _gate;
        private readonly ManualResetEventSlim _entered;

        public Gated(ManualResetEventSlim gate, ManualResetEventSlim entered)
        {
            _gate = gate;
            _entered = entered;
        }

        protected override void OnReceive(object message)
        {
            _entered.Set();
            _gate.Wait();
            Sender.Tell(message);
        }
    }

    private sealed class Deaf : ReceiveActor
    {
    }
}

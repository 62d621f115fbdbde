using Router.TestKit;
using Router.Tests.Actors;

namespace Router.Tests.Loop;

/// <summary>The order of a loop's turns, on the real engine: what waits is known, because the kit steps it.</summary>
public sealed class IoDispatcherOrderTests() : RouterActorTestKit(seed: 5)
{
    /// <summary>The dispatcher says 64; Akka takes one more.</summary>
    private const int MessagesPerTurn = 65;

    [Fact]
    public void System_messages_come_before_everything_that_waits()
    {
        var actor = Reporting("stopped", TestActor);
        ExpectMsgAllOf("constructed", "pre-start");
        var lost = CreateTestProbe();
        Sys.EventStream.Subscribe(lost, typeof(DeadLetter));

        actor.Tell(1);
        actor.Tell(2);
        ((IInternalActorRef)actor).Stop();
        Kit.RunUntilIdle();

        ExpectMsg("post-stop");
        ExpectNoMsg();
        Assert.Equal([1, 2], lost.ReceiveN(2).Cast<DeadLetter>().Select(static letter => letter.Message));
    }

    [Fact]
    public void A_restart_loses_the_message_that_failed_and_keeps_the_order_of_the_others()
    {
        var actor = Reporting("restarted", TestActor);
        ExpectMsgAllOf("constructed", "pre-start");

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() =>
        {
            actor.Tell(1);
            actor.Tell(new Reporter.Crash());
            actor.Tell(2);
            actor.Tell(3);
            Kit.RunUntilIdle();
        });

        Assert.Equal(
            [1, "pre-restart crash on Crash", "post-stop", "constructed", "post-restart crash", "pre-start", 2, 3],
            ReceiveN(8));
    }

    [Fact]
    public void An_actor_with_much_to_do_lets_the_others_of_its_loop_run()
    {
        var busy = Reporting("busy", TestActor);
        var other = Reporting("other", TestActor);
        ReceiveN(4);

        for (var i = 0; i < 3 * MessagesPerTurn; i++)
        {
            busy.Tell(i);
        }

        other.Tell("other");
        Kit.RunUntilIdle();

        var seen = ReceiveN((3 * MessagesPerTurn) + 1).ToList();
        Assert.Equal(MessagesPerTurn, seen.IndexOf("other"));
        Assert.Equal(Enumerable.Range(0, 3 * MessagesPerTurn), seen.OfType<int>());
    }

    [Fact]
    public void A_child_that_escalates_has_its_parent_restarted_and_ends_with_that()
    {
        var parent = Sys.ActorOf(
            Props.Create(() => new Parent(new OneForOneStrategy(static _ => Directive.Escalate)))
                .WithDispatcher(Kit.ListenerEnvironment.Loops[0].Dispatcher),
            "parent");
        parent.Tell(new Parent.Start(
            Props.Create(() => new Reporter(TestActor)).WithDispatcher(Kit.ListenerEnvironment.Loops[0].Dispatcher)));
        Kit.RunUntilIdle();
        var child = ExpectMsg<IActorRef>();
        ExpectMsgAllOf("constructed", "pre-start");
        Watch(child);

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() =>
        {
            child.Tell(new Reporter.Crash());
            Kit.RunUntilIdle();
        });

        ExpectMsg("post-stop");
        ExpectTerminated(child);
        Assert.False(parent.IsNobody());
    }

    private IActorRef Reporting(string name, IActorRef to)
    {
        var actor = Sys.ActorOf(
            Props.Create(() => new Reporter(to)).WithDispatcher(Kit.ListenerEnvironment.Loops[0].Dispatcher), name);
        Kit.RunUntilIdle();
        return actor;
    }
}

namespace Router.Tests.Actors;

public sealed class ReceiveAsyncTests : ActorTestKit
{
    /// <summary>In which a second message would come: all of it is in this process.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void No_other_message_is_handled_until_the_handler_ends()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Awaiting(TestActor)));
        var work = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);

        actor.Tell(work.Task);
        actor.Tell("behind");
        ExpectMsg("begun");
        ExpectNoMsg(Silence);
        work.SetResult("result");

        ExpectMsg("result");
        ExpectMsg("behind");
    }

    [Fact]
    public void Sender_Self_and_Context_hold_after_each_await()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Awaiting(TestActor)));
        var probe = CreateTestProbe();

        for (var i = 0; i < 100; i++)
        {
            probe.Send(actor, 3);
            probe.ExpectMsgFrom(actor, "3 awaits");
        }
    }

    [Fact]
    public void A_handler_that_fails_after_an_await_fails_the_actor()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Awaiting(TestActor)));
        var work = new TaskCompletionSource<string>();
        actor.Tell(work.Task);
        ExpectMsg("begun");

        EventFilter.Exception<NotSupportedException>("late", source: actor.Path.ToString())
            .ExpectOne(() => work.SetException(new NotSupportedException("late")));

        ExpectMsg("pre-restart on Task");
        actor.Tell("behind");
        ExpectMsg("behind");
    }

    [Fact]
    public void An_actor_stops_while_it_awaits()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Awaiting(TestActor)));
        var work = new TaskCompletionSource<string>();
        actor.Tell(work.Task);
        ExpectMsg("begun");
        Watch(actor);

        Sys.Stop(actor);

        ExpectTerminated(actor);
        work.SetResult("too late");
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void A_handler_done_at_once_goes_on_with_the_next_message()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Awaiting(TestActor)));
        for (var i = 0; i < 1_000; i++)
        {
            actor.Tell(Task.FromResult("at once"));
            ExpectMsg("begun");
            ExpectMsg("at once");
        }
    }

    private sealed class Awaiting : ReceiveActor
    {
        private readonly IActorRef _probe;

        public Awaiting(IActorRef probe)
        {
            _probe = probe;
            ReceiveAsync<Task<string>>(async work =>
            {
                _probe.Tell("begun");
                _probe.Tell(await work);
            });
            ReceiveAsync<int>(async count =>
            {
                var sender = Sender;
                for (var i = 0; i < count; i++)
                {
                    await Task.Yield();
                    if (!Sender.Equals(sender) || !Context.Self.Equals(Self))
                    {
                        throw new InvalidOperationException("lost its surroundings");
                    }
                }

                Sender.Tell(count + " awaits");
            });
            Receive<string>(message => _probe.Tell(message));
        }

        protected override void PreRestart(Exception reason, object? message)
        {
            var isTask = message is Task;
            _probe.Tell(isTask ? "pre-restart on Task" : "pre-restart");
            base.PreRestart(reason, message);
        }
    }
}

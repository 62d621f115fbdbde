
namespace Router.Tests.Actors;

public sealed class DispatcherTests : ActorTestKit
{
    public DispatcherTests()
        : base("own-dispatcher { type = Dispatcher, throughput = 7 }")
    {
    }

    [Fact]
    public void Props_choose_the_dispatcher_by_its_path()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Where()).WithDispatcher("own-dispatcher"));

        actor.Tell("where");

        var dispatcher = ExpectMsg<MessageDispatcher>();
        Assert.Equal("own-dispatcher", dispatcher.Id);
        Assert.Equal(7, dispatcher.Throughput);
        Assert.Same(dispatcher, Sys.Dispatchers.Lookup("own-dispatcher"));
    }

    [Fact]
    public void Without_a_choice_it_is_the_default_dispatcher()
    {
        var actor = Sys.ActorOf<Where>();

        actor.Tell("where");

        Assert.Equal("akka.actor.default-dispatcher", ExpectMsg<MessageDispatcher>().Id);
    }


    [Fact]
    public void The_calling_thread_dispatcher_has_handled_the_message_when_Tell_returns()
    {
        var actor = ActorOfAsTestActorRef<Counter>();

        actor.Tell("one", TestActor);
        actor.Tell("two", TestActor);

        Assert.Equal(2, actor.UnderlyingActor.Count);
    }

    private sealed class Where : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(Context.Dispatcher);
    }

    private sealed class Counter : UntypedActor
    {
        public int Count { get; private set; }

        protected override void OnReceive(object message) => Count++;
    }
}

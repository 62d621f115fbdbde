namespace Router.Tests.Actors;

public sealed class EventStreamTests : ActorTestKit
{
    private abstract record Happening;

    private sealed record Small(int Size) : Happening;

    private sealed record Large(int Size) : Happening;

    [Fact]
    public void Subscribers_get_the_type_and_what_derives_from_it_once()
    {
        Assert.True(Sys.EventStream.Subscribe(TestActor, typeof(Happening)));
        Assert.False(Sys.EventStream.Subscribe(TestActor, typeof(Happening)));
        Sys.EventStream.Subscribe(TestActor, typeof(Small));

        Sys.EventStream.Publish(new Small(1));
        Sys.EventStream.Publish(new Large(2));
        Sys.EventStream.Publish("nothing of theirs");

        ExpectMsg(new Small(1));
        ExpectMsg(new Large(2));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Who_unsubscribes_gets_nothing_more()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(Happening));
        Assert.True(Sys.EventStream.Unsubscribe(TestActor, typeof(Happening)));
        Assert.False(Sys.EventStream.Unsubscribe(TestActor));

        Sys.EventStream.Publish(new Small(1));

        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Logging_publishes_formatted_events_with_the_actors_path()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Talkative()), "talkative");
        Sys.EventStream.Subscribe(TestActor, typeof(Info));
        Sys.EventStream.Subscribe(TestActor, typeof(Warning));

        actor.Tell("go");

        var info = ExpectMsg<Info>();
        Assert.Equal("hello go", info.Message.ToString());
        Assert.Contains("/user/talkative", info.LogSource, StringComparison.Ordinal);
        var warning = ExpectMsg<Warning>();
        Assert.Equal("careful", warning.Message.ToString());
    }

    [Fact]
    public void Below_the_log_level_nothing_is_published()
    {
        var actor = Sys.ActorOf<Talkative>();

        EventFilter.Debug(contains: "not said").Expect(0, () =>
        {
            actor.Tell("go");
            actor.Tell(new Identify(1));
            ExpectMsg<ActorIdentity>();
        });
    }

    private sealed class Talkative : UntypedActor
    {
        private readonly ILoggingAdapter _log;

        public Talkative() => _log = Context.GetLogger();

        protected override void OnReceive(object message)
        {
            _log.Debug("not said {0}", message);
            _log.Info("hello {0}", message);
            _log.Warning("careful");
        }
    }
}

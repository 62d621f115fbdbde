namespace Router.TestKit.Actors;

/// <summary>An actor of the test's own and the expectations on what it is told. Times are wall-clock waits for
/// other threads; an expectation that is met returns at once.</summary>
public abstract partial class TestKitBase
{
    private readonly TestQueue _queue = new();
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private TimeSpan? _withinEnd;

    private protected TestKitBase(ActorSystem system, string name)
    {
        Sys = system;
        SingleExpectDefault = Setting("akka.test.single-expect-default", TimeSpan.FromSeconds(10));
        ExpectNoMsgDefault = Setting("akka.test.expect-no-message-default", TimeSpan.FromMilliseconds(100));
        TestActor = system.SystemGuardian.MakeChild(
            Props.Create(() => new TestActor(_queue)).WithDispatcher(CallingThreadDispatcher.DispatcherId), name);
        EventFilter = new EventFilterFactory(this);
    }

    public ActorSystem Sys { get; }

    /// <summary>Told messages wait for the expectations; on a test thread it is the implicit sender.</summary>
    public IActorRef TestActor { get; }

    /// <summary>Who sent the message expected last.</summary>
    public IActorRef LastSender { get; private set; } = ActorRefs.Nobody;

    public object? LastMessage { get; private set; }

    public bool HasMessages => _queue.Count > 0;

    public EventFilterFactory EventFilter { get; }

    internal TimeSpan SingleExpectDefault { get; }

    internal TimeSpan ExpectNoMsgDefault { get; }

    public IActorRef ActorOf(Props props, string? name = null) => Sys.ActorOf(props, name);

    public IActorRef ActorOf<TActor>(string? name = null)
        where TActor : ActorBase, new() => Sys.ActorOf<TActor>(name);

    /// <summary>Starts an actor on the calling thread's dispatcher and gives access to its instance.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(Props props, string? name = null)
        where TActor : ActorBase =>
        new((ActorCell)Sys.ActorOf(props.WithDispatcher(CallingThreadDispatcher.DispatcherId), name));

    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(string? name = null)
        where TActor : ActorBase, new() => ActorOfAsTestActorRef<TActor>(Props.Create<TActor>(), name);

    /// <summary>The test actor gets a <see cref="Terminated"/> when the actor stops.</summary>
    public IActorRef Watch(IActorRef actorToWatch)
    {
        TestActor.Tell(new TestActor.WatchFor(actorToWatch), ActorRefs.NoSender);
        return actorToWatch;
    }

    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        TestActor.Tell(new TestActor.UnwatchFor(actorToUnwatch), ActorRefs.NoSender);
        return actorToUnwatch;
    }

    /// <summary>Messages for which this returns true are dropped from now on.</summary>
    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) =>
        TestActor.Tell(new TestActor.SetIgnore(shouldIgnoreMessage), ActorRefs.NoSender);

    public void IgnoreNoMessages() => TestActor.Tell(new TestActor.SetIgnore(null), ActorRefs.NoSender);

    /// <summary>The next message, or null when none comes in time.</summary>
    public object? ReceiveOne(TimeSpan? max = null) =>
        Take(max ?? SingleExpectDefault, out var message) ? message : null;

    internal static AssertionFailedException Failed(string message, string? hint = null) =>
        new(hint is null ? message : $"{message} ({hint})");

    private bool Take(TimeSpan max, out object message)
    {
        var wait = max < TimeSpan.Zero ? TimeSpan.Zero : Remaining(max);
        if (_queue.TryTake(wait, out var envelope))
        {
            LastSender = envelope.Sender;
            LastMessage = message = envelope.Message;
            return true;
        }

        LastSender = ActorRefs.Nobody;
        LastMessage = null;
        message = "";
        return false;
    }

    private TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_start);

    private TimeSpan Setting(string path, TimeSpan standard) => Sys.Settings.Config.GetTimeSpan(path, standard);

    /// <summary>The wait, cut to what an enclosing Within leaves.</summary>
    private TimeSpan Remaining(TimeSpan max)
    {
        if (_withinEnd is not { } end)
        {
            return max;
        }

        var left = end - Elapsed;
        return left < TimeSpan.Zero ? TimeSpan.Zero : left < max ? left : max;
    }
}

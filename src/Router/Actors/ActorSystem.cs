using Router.Configuration.Hocon;

namespace Router.Actors;

/// <summary>A tree of actors with its dispatchers, scheduler and event stream.</summary>
public sealed class ActorSystem : IActorRefFactory, IDisposable
{
    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RootGuardian _root;
    private readonly ActorCell _systemGuardian;
    private readonly ActorCell _userGuardian;
    private int _uid;
    private int _temporaryNumber;

    private ActorSystem(string name, Config config, TimeProvider time)
    {
        Name = name;
        Settings = new Settings(config);
        EventStream = new EventStream();
        RootPath = ActorPath.Root(name);
        DeadLetters = new DeadLetterRef(this);
        Log = Logging.GetLogger(this, name);
        Scheduler = Settings.SchedulerType is { } type
            ? TypeLoader.Create<IScheduler>(type, config, Log)
            : new TimeProviderScheduler(time);
        Dispatchers = new Dispatchers(this);
        _root = new RootGuardian(this);
        _systemGuardian = MakeGuardian("system");
        _userGuardian = MakeGuardian("user");
        _systemGuardian.Start();
        _userGuardian.Start();
    }

    public string Name { get; }

    public Settings Settings { get; }

    public Dispatchers Dispatchers { get; }

    /// <summary>The system's only source of time.</summary>
    public IScheduler Scheduler { get; }

    public EventStream EventStream { get; }

    /// <summary>Takes what has no receiver and publishes it as <see cref="DeadLetter"/>.</summary>
    public IActorRef DeadLetters { get; }

    public ILoggingAdapter Log { get; }

    /// <summary>Completes when all actors have stopped and the dispatchers are shut down.</summary>
    public Task WhenTerminated => _terminated.Task;

    internal ActorPath RootPath { get; }

    /// <summary>The parent of the kernel's own and the test kit's actors.</summary>
    internal ActorCell SystemGuardian => _systemGuardian;

    public static ActorSystem Create(string name) => Create(name, ConfigurationFactory.Empty);

    public static ActorSystem Create(string name, Config config) => Create(name, config, TimeProvider.System);

    /// <summary>A system whose time is the given one, unless <c>akka.scheduler.implementation</c> names a
    /// scheduler.</summary>
    internal static ActorSystem Create(string name, Config config, TimeProvider time) => new(name, config, time);

    public IActorRef ActorOf(Props props, string? name = null) => _userGuardian.MakeChild(props, name);

    public void Stop(IActorRef actor) => ActorRefBase.Of(actor).Stop();

    /// <summary>Stops all actors, children before parents, /user before /system.</summary>
    public Task Terminate()
    {
        _userGuardian.Stop();
        return WhenTerminated;
    }

    public void Dispose() => _ = Terminate();

    public override string ToString() => RootPath.ToString();

    internal int NextUid() => Interlocked.Increment(ref _uid);

    internal ActorPath NextTemporaryPath() => RootPath.Child("temp", ActorPath.UndefinedUid)
        .Child(AutomaticName.Of(Interlocked.Increment(ref _temporaryNumber)), NextUid());

    internal void PublishDeadLetter(object message, IActorRef? sender, IActorRef recipient)
    {
        if (message is Identify identify)
        {
            sender?.Tell(new ActorIdentity(identify.MessageId, subject: null), ActorRefs.NoSender);
        }
        else if (message is DeadLetter)
        {
            EventStream.Publish(message);
        }
        else if (message is not IDeadLetterSuppression && EventStream.HasSubscriber(typeof(DeadLetter)))
        {
            EventStream.Publish(new DeadLetter(message, sender ?? DeadLetters, recipient));
        }
    }

    private ActorCell MakeGuardian(string name)
    {
        var props = Props.Create<Guardian>();
        var guardian = new ActorCell();
        guardian.Init(_root, props, props.Resolve(this), name, automaticNumber: 0);

        // Any thread may be the first to make a child of it.
        _ = guardian.Children;
        return guardian;
    }

    private void OnGuardianTerminated(ActorRefBase guardian)
    {
        if (ReferenceEquals(guardian, _userGuardian))
        {
            _systemGuardian.Stop();
            return;
        }

        (Scheduler as IDisposable)?.Dispose();
        Dispatchers.ShutdownAll();
        _terminated.TrySetResult();
    }

    /// <summary>Supervises the children of the system itself.</summary>
    private sealed class Guardian : UntypedActor
    {
        protected override void OnReceive(object message) => Unhandled(message);
    }

    /// <summary>Above the guardians: one that fails takes the system down.</summary>
    private sealed class RootGuardian(ActorSystem system) : ActorRefBase
    {
        public override ActorPath Path => system.RootPath;

        internal override ActorSystem System => system;

        public override void Tell(object message, IActorRef? sender) =>
            system.PublishDeadLetter(message, sender, this);

        internal override void SendSystem(SystemMessage message)
        {
            switch (message)
            {
                case ChildFailure failure:
                    system.EventStream.Publish(new Error(
                        failure.Cause,
                        failure.Child.Path.ToString(),
                        typeof(Guardian),
                        "guardian failed, shutting down system"));
                    failure.Child.Stop();
                    _ = system.Terminate();
                    break;
                case DeathWatchNotification death:
                    system.OnGuardianTerminated(death.Actor);
                    break;
                default:
                    break;
            }
        }
    }

    private sealed class DeadLetterRef(ActorSystem system) : ActorRefBase
    {
        public override ActorPath Path { get; } = system.RootPath.Child("deadLetters", ActorPath.UndefinedUid);

        internal override ActorSystem System => system;

        public override void Tell(object message, IActorRef? sender) =>
            system.PublishDeadLetter(message, sender, this);

        internal override void SendSystem(SystemMessage message)
        {
            if (message is WatchRequest watch)
            {
                watch.Refuse();
            }
        }
    }
}

/// <summary>What the configuration says about the kernel.</summary>
public sealed class Settings
{
    internal Settings(Config config)
    {
        Config = config;
        MinimumLogLevel = Logging.LevelFor(config.GetString("akka.loglevel", null));
        SchedulerType = config.GetString("akka.scheduler.implementation", null);
    }

    public Config Config { get; }

    /// <summary><c>akka.loglevel</c>: DEBUG, INFO (default), WARNING, ERROR or OFF.</summary>
    internal LogLevel MinimumLogLevel { get; }

    /// <summary><c>akka.scheduler.implementation</c>, or null for the built-in one.</summary>
    internal string? SchedulerType { get; }
}

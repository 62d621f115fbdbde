using Router.Configuration.Hocon;

namespace Router.Actors;

/// <summary>What a dispatcher may need of its system.</summary>
public interface IDispatcherPrerequisites
{
    EventStream EventStream { get; }

    IScheduler Scheduler { get; }

    Settings Settings { get; }
}

/// <summary>Makes the dispatcher of one configuration section. Constructed by the kernel with the section
/// (plus <c>id</c>, its path) and the prerequisites.</summary>
public abstract class MessageDispatcherConfigurator
{
    protected MessageDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    {
        Config = config;
        Prerequisites = prerequisites;
    }

    public Config Config { get; }

    public IDispatcherPrerequisites Prerequisites { get; }

    /// <summary>The dispatcher for this section, the same one at each call unless documented otherwise.</summary>
    public abstract MessageDispatcher Dispatcher();
}

/// <summary>Runs the turns of actors on its thread or threads.</summary>
public abstract class MessageDispatcher
{
    private const int DefaultThroughput = 100;
    private const int LoopLettersMax = 8192;
    private const int OwnLettersMax = 256;

    [ThreadStatic]
    private static MessageDispatcher? _boundToThread;

    /// <summary>Of a thread that is no dispatcher's one and only.</summary>
    [ThreadStatic]
    private static LetterPool? _ownLetters;

    private readonly ActorSystem? _system;
    private readonly LetterPool _letters = new(LoopLettersMax);
    private Letter? _handedBack;   // any thread, atomically

    protected MessageDispatcher(MessageDispatcherConfigurator configurator)
    {
        Configurator = configurator;
        var config = configurator.Config;
        Id = config.GetString("id", null) ?? "";
        Throughput = Math.Max(1, config.GetInt("throughput", DefaultThroughput));
        _system = (configurator.Prerequisites as DispatcherPrerequisites)?.System;
    }

    public MessageDispatcherConfigurator Configurator { get; }

    /// <summary>The path of its configuration section.</summary>
    public string Id { get; protected set; }

    /// <summary>Most user messages of one actor handled in one turn before others get theirs.</summary>
    public int Throughput { get; protected set; }

    /// <summary>The dispatcher whose one and only thread the current thread is, or null.</summary>
    internal static MessageDispatcher? BoundToThread => _boundToThread;

    /// <summary>True when every turn runs on one thread, which has called <see cref="BindToCurrentThread"/>.
    /// Fixed for the dispatcher's life. Tells from that thread then cost no atomic operation and no
    /// allocation.</summary>
    internal virtual bool IsSingleThreaded => false;

    /// <summary>What times the actors of this dispatcher; a loop gives its own wheel.</summary>
    internal virtual IScheduler Scheduler => Configurator.Prerequisites.Scheduler;

    internal ActorSystem System =>
        _system ?? throw new InvalidOperationException($"Dispatcher [{Id}] was not made by an actor system.");

    /// <summary>Runs an action on one of the dispatcher's threads.</summary>
    public void Schedule(Action run) => ExecuteTask(new ActionRunnable(run));

    /// <summary>Runs the runnable once, later or now. Called from any thread; the same runnable may be
    /// queued twice, its runs must then not overlap on a single-threaded dispatcher.</summary>
    protected abstract void ExecuteTask(IRunnable run);

    /// <summary>The system has terminated: no further turn will come.</summary>
    protected abstract void Shutdown();

    /// <summary>Declares the current thread to be this dispatcher's one thread.</summary>
    internal void BindToCurrentThread()
    {
        if (!IsSingleThreaded)
        {
            throw new InvalidOperationException($"Dispatcher [{Id}] is not single-threaded.");
        }

        if (_boundToThread is not null && !ReferenceEquals(_boundToThread, this))
        {
            throw new InvalidOperationException(
                $"The thread belongs to dispatcher [{_boundToThread.Id}] already.");
        }

        _boundToThread = this;
    }

    /// <summary>Takes <see cref="BindToCurrentThread"/> back, on the same thread.</summary>
    internal void UnbindFromCurrentThread()
    {
        if (ReferenceEquals(_boundToThread, this))
        {
            _boundToThread = null;
        }
    }

    internal void Execute(IRunnable run) => ExecuteTask(run);

    internal void ShutdownNow() => Shutdown();

    /// <summary>The letters of the current thread: a loop's are its dispatcher's.</summary>
    internal static LetterPool LettersOf(MessageDispatcher? bound) =>
        bound is null ? _ownLetters ??= new LetterPool(OwnLettersMax) : bound._letters;

    /// <summary>Letters handed back by a thread that was told more than it told, a list; null if there are none. Any
    /// thread.</summary>
    internal Letter? TakeHandedBack() =>
        Volatile.Read(ref _handedBack) is null ? null : Interlocked.Exchange(ref _handedBack, null);

    /// <summary>Leaves a list for whoever tells actors of this dispatcher. Any thread.</summary>
    /// <returns>False while the one before has not been taken.</returns>
    internal bool TryHandBack(Letter letters) =>
        Volatile.Read(ref _handedBack) is null
        && Interlocked.CompareExchange(ref _handedBack, letters, null) is null;

    private sealed class ActionRunnable(Action run) : IRunnable
    {
        public void Run() => run();

        public void Execute() => Run();
    }
}

internal sealed class DispatcherPrerequisites(ActorSystem system) : IDispatcherPrerequisites
{
    public ActorSystem System => system;

    public EventStream EventStream => system.EventStream;

    public IScheduler Scheduler => system.Scheduler;

    public Settings Settings => system.Settings;
}

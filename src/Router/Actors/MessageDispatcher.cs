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
    private const int PooledLettersMax = 8192;

    [ThreadStatic]
    private static MessageDispatcher? _boundToThread;

    private readonly ActorSystem? _system;
    private Letter? _pooledLetters;
    private int _pooledLetterCount;

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

    /// <summary>A letter from the pool of the current thread's dispatcher, or a new one.</summary>
    internal static Letter RentLetter(MessageDispatcher? bound, object message, IActorRef? sender)
    {
        var letter = bound?._pooledLetters;
        if (letter is null)
        {
            letter = new Letter();
        }
        else
        {
            bound!._pooledLetters = letter.Next;
            bound._pooledLetterCount--;
            letter.Next = null;
        }

        letter.Message = message;
        letter.Sender = sender;
        return letter;
    }

    /// <summary>Gives a handled letter back. Only letters out of this dispatcher's own hands come here, on
    /// its thread; beyond the bound they are left to the collector.</summary>
    internal void ReturnLetter(Letter letter)
    {
        letter.Message = null;
        letter.Sender = null;
        if (_pooledLetterCount < PooledLettersMax)
        {
            letter.Next = _pooledLetters;
            _pooledLetters = letter;
            _pooledLetterCount++;
        }
    }

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

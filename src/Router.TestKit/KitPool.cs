using System.Collections.Concurrent;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>Hands a kit to what Akka makes by name in its system: dispatchers and the log.</summary>
internal sealed class KitSetup(KitPool pool, Action<LogEvent> log) : Setup
{
    public KitPool Pool => pool;

    public Action<LogEvent> Log => log;
}

/// <summary>Stands for the thread pool: runs its work on the test's thread, between the loop's passes.</summary>
internal sealed class KitPool
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly ConcurrentQueue<IRunnable> _runs = new();
    private readonly Queue<IRunnable> _now = new();
    private readonly List<IRunnable> _ready = [];
    private bool _isInPass;
    private bool _isRunningNow;

    public void Enqueue(IRunnable run) => _runs.Enqueue(run);

    /// <summary>Runs a turn of one of Akka's guardians at once if the test itself has told it something, and else like
    /// all others. Akka's TestKit waits until a probe that it made has started, and nothing would run
    /// meanwhile.</summary>
    public void RunNowOrEnqueue(IRunnable run)
    {
        if (_isInPass || Environment.CurrentManagedThreadId != _thread)
        {
            Enqueue(run);
            return;
        }

        _now.Enqueue(run);
        if (_isRunningNow)
        {
            return;
        }

        _isRunningNow = true;
        try
        {
            while (_now.TryDequeue(out var next))
            {
                next.Run();
            }
        }
        finally
        {
            _isRunningNow = false;
        }
    }

    /// <summary>Runs a pass of the router. Within it nothing runs at once, nothing is sent in the name of the test's
    /// own actor, as which a TestKit has its thread send, and what a handler awaits does not go on in the test's own
    /// context, as it would not on a loop: it does where what it waits for happens.</summary>
    public bool Pass(Func<bool> pass)
    {
        var outer = InternalCurrentActorCellKeeper.Current;
        var context = SynchronizationContext.Current;
        InternalCurrentActorCellKeeper.Current = null;
        SynchronizationContext.SetSynchronizationContext(null);
        _isInPass = true;
        try
        {
            return pass();
        }
        finally
        {
            _isInPass = false;
            SynchronizationContext.SetSynchronizationContext(context);
            InternalCurrentActorCellKeeper.Current = outer;
        }
    }

    /// <summary>Runs all that is ready in order, or a part of it in seeded order.</summary>
    /// <returns>How many were run; at least 1 if any was ready.</returns>
    public int RunReady(SeededRandom? shuffle)
    {
        while (_runs.TryDequeue(out var run))
        {
            _ready.Add(run);
        }

        var count = shuffle is null || _ready.Count == 0 ? _ready.Count : 1 + shuffle.Next(_ready.Count);
        for (var i = 0; i < count; i++)
        {
            var pick = shuffle is null ? 0 : shuffle.Next(_ready.Count);
            var run = _ready[pick];
            _ready.RemoveAt(pick);
            run.Run();
        }

        return count;
    }
}

/// <summary>Puts actors that would be on the thread pool on a kit's <see cref="KitPool"/>.</summary>
internal sealed class KitPoolDispatcher : MessageDispatcher
{
    private readonly Action<IRunnable> _run;

    public KitPoolDispatcher(MessageDispatcherConfigurator configurator, Action<IRunnable> run)
        : base(configurator)
    {
        _run = run;
        Id = configurator.Config.GetString("id");
    }

    protected override void ExecuteTask(IRunnable run) => _run(run);

    protected override void Shutdown()
    {
    }
}

/// <summary>Made by Akka, by name: finds the pool in the system's setup.</summary>
internal sealed class KitPoolConfigurator : MessageDispatcherConfigurator
{
    private readonly KitPoolDispatcher _dispatcher;

    public KitPoolConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        var pool = prerequisites.Settings.Setup.Get<KitSetup>().Value.Pool;
        _dispatcher = new KitPoolDispatcher(
            this, config.GetBoolean("at-once", false) ? pool.RunNowOrEnqueue : pool.Enqueue);
    }

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

using System.Collections.Concurrent;
using Akka.Actor.Setup;
using Akka.Configuration;
using Router.Net;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>Makes the kit's actor system: all of it on the test's thread, its scheduler on virtual time.</summary>
internal static class KitEngine
{
    /// <summary>Where everything runs that is on no loop.</summary>
    private static readonly string StepDispatcher =
        $"{typeof(KitPoolConfigurator).FullName}, {typeof(KitPoolConfigurator).Assembly.GetName().Name}";

    /// <summary>Top-level actors are made by a guardian on the internal dispatcher, which therefore steps too. The
    /// system ends when the kit says so, and by its steps: a coordinated shutdown would go on beside it.</summary>
    private static string Settings =>
        $$"""
        {{ClockScheduler.Setting}}
        akka {
          loggers = []
          loglevel = OFF
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.run-by-actor-system-terminate = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          actor.default-dispatcher.type = "{{StepDispatcher}}"
          actor.internal-dispatcher.type = "{{StepDispatcher}}"
        }
        """;

    public static ActorSystem Create(KitPool pool, VirtualTimeProvider time) => ClockScheduler.Create(
        time,
        () => ActorSystem.Create(
            "kit",
            ActorSystemSetup.Create(
                new KitSetup(pool),
                BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(Settings)))));
}

/// <summary>Hands a kit's pool to the dispatchers of its system, which Akka makes by name.</summary>
internal sealed class KitSetup(KitPool pool) : Setup
{
    public KitPool Pool => pool;
}

/// <summary>What would run on the thread pool, run on the test's thread between the loop's passes.</summary>
internal sealed class KitPool
{
    private readonly ConcurrentQueue<IRunnable> _runs = new();
    private readonly List<IRunnable> _ready = [];

    public void Enqueue(IRunnable run) => _runs.Enqueue(run);

    /// <summary>Runs what is ready: in order, or some of it in seeded order.</summary>
    /// <returns>Runs made; at least 1 if any was ready.</returns>
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
    private readonly KitPool _pool;

    public KitPoolDispatcher(MessageDispatcherConfigurator configurator, KitPool pool)
        : base(configurator)
    {
        _pool = pool;
        Id = configurator.Config.GetString("id");
    }

    protected override void ExecuteTask(IRunnable run) => _pool.Enqueue(run);

    protected override void Shutdown()
    {
    }
}

/// <summary>Made by Akka, by name: finds the pool in the system's setup.</summary>
internal sealed class KitPoolConfigurator : MessageDispatcherConfigurator
{
    private readonly KitPoolDispatcher _dispatcher;

    public KitPoolConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) =>
        _dispatcher = new KitPoolDispatcher(this, prerequisites.Settings.Setup.Get<KitSetup>().Value.Pool);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

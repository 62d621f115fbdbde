using System.Collections.Concurrent;
using Router.TestKit.Simulation;
#if ACTOR_ENGINE_AKKA
using Akka.Configuration;
using Akka.TestKit;
#else
using Router.Configuration.Hocon;
#endif

namespace Router.TestKit;

/// <summary>Makes the kit's actor system: the one place where the two actor engines differ here.</summary>
internal static class KitEngine
{
#if ACTOR_ENGINE_AKKA
    public static ActorSystem Create(string config, VirtualTimeProvider time) => ActorSystem.Create(
        "kit",
        ConfigurationFactory.ParseString(
            config +
            "\nakka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"\nakka.loglevel = OFF"));

    public static void Advance(ActorSystem system, TimeSpan by) => ((TestScheduler)system.Scheduler).Advance(by);
#else
    public static ActorSystem Create(string config, VirtualTimeProvider time) =>
        ActorSystem.Create("kit", ConfigurationFactory.ParseString(config), time);

    /// <summary>The system's scheduler is a timer of the virtual clock: nothing more to advance.</summary>
    public static void Advance(ActorSystem system, TimeSpan by)
    {
    }
#endif
}

/// <summary>What would run on the thread pool, run on the test's thread between the loop's passes.</summary>
internal sealed class KitPool : IDisposable
{
    private static readonly ConcurrentDictionary<string, KitPool> Pools = new(StringComparer.Ordinal);
    private static long _pools;

    private readonly string _id = $"kit-{Interlocked.Increment(ref _pools)}";
    private readonly ConcurrentQueue<IRunnable> _runs = new();
    private readonly List<IRunnable> _ready = [];

    public KitPool() => Pools[_id] = this;

    /// <summary>The section of the default dispatcher, for the actor system's configuration.</summary>
    public string DispatcherConfig =>
        $$"""
        akka.actor.default-dispatcher {
          type = "{{typeof(KitPoolConfigurator).FullName}}, {{typeof(KitPoolConfigurator).Assembly.GetName().Name}}"
          kit = "{{_id}}"
        }

        """;

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

    public void Dispose() => Pools.TryRemove(_id, out _);

    internal static KitPool Find(string id) => Pools[id];
}

/// <summary>Puts actors that would be on the thread pool on a kit's <see cref="KitPool"/>.</summary>
internal sealed class KitPoolDispatcher(MessageDispatcherConfigurator configurator, KitPool pool)
    : MessageDispatcher(configurator)
{
    protected override void ExecuteTask(IRunnable run) => pool.Enqueue(run);

    protected override void Shutdown()
    {
    }
}

/// <summary>Finds the pool that a configuration section names by <c>kit</c>.</summary>
internal sealed class KitPoolConfigurator : MessageDispatcherConfigurator
{
    private readonly KitPoolDispatcher _dispatcher;

    public KitPoolConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) =>
        _dispatcher = new KitPoolDispatcher(this, KitPool.Find(config.GetString("kit") ?? ""));

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

using System.Collections.Concurrent;
#if ACTOR_ENGINE_AKKA
using Akka.Configuration;
#else
using Router.Configuration.Hocon;
#endif

namespace Router.Net;

/// <summary>Puts actors on a loop: their turns are runnables of its run queue, on its thread.</summary>
public sealed class IoDispatcher : MessageDispatcher
{
    private readonly IoLoop _loop;

    internal IoDispatcher(MessageDispatcherConfigurator configurator, IoLoop loop)
        : base(configurator)
    {
        _loop = loop;
#if !ACTOR_ENGINE_AKKA
        Scheduler = new LoopScheduler(loop);
        loop.OnThreadStart += BindToCurrentThread;
        loop.OnThreadStop += UnbindFromCurrentThread;
        if (loop.IsStarted)
        {
            loop.Enqueue(new Binding(BindToCurrentThread));   // before any turn of an actor can come
        }
#endif
    }

#if !ACTOR_ENGINE_AKKA
    internal override bool IsSingleThreaded => true;

    /// <summary>The loop's own wheel: no other thread wakes it for the time-outs of its actors.</summary>
    internal override IScheduler Scheduler { get; }
#endif

    protected override void ExecuteTask(IRunnable run) => _loop.Enqueue(run);

    /// <summary>Leaves the loop to its group, which outlives the actor system and may serve another one.</summary>
    protected override void Shutdown()
    {
#if !ACTOR_ENGINE_AKKA
        _loop.OnThreadStart -= BindToCurrentThread;
        _loop.Enqueue(new Binding(UnbindFromCurrentThread));   // and OnThreadStop stays, for who drives it by RunOnce
#endif
    }

#if !ACTOR_ENGINE_AKKA
    private sealed class Binding(Action change) : IRunnable
    {
        public void Run() => change();

        public void Execute() => Run();
    }
#endif
}

/// <summary>Finds the loop that a configuration section names by <c>loop-group</c> and <c>loop</c>.</summary>
public sealed class IoDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly IoDispatcher _dispatcher;

    public IoDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        var loop = IoLoopGroup.Find(config.GetString("loop-group") ?? "", config.GetInt("loop"));
        _dispatcher = new IoDispatcher(this, loop);
    }

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

/// <summary>The loops of one router. Dispatcher sections name the group by its id, because a section is
/// text.</summary>
public sealed class IoLoopGroup : IDisposable
{
    private static readonly ConcurrentDictionary<string, IoLoopGroup> Groups = new(StringComparer.Ordinal);
    private static long _groups;

    private static readonly string ConfiguratorName =
        $"{typeof(IoDispatcherConfigurator).FullName}, {typeof(IoDispatcherConfigurator).Assembly.GetName().Name}";

    private readonly IoLoop[] _loops;

    /// <summary>Makes the loops; none runs before <see cref="Start"/>.</summary>
    public IoLoopGroup(int count, INetwork network, TimeProvider time, IoLoopOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Id = $"group-{Interlocked.Increment(ref _groups)}";
        options = options with { PipeBudget = Math.Min(options.PipeBudget, network.PipeBudget / count) };
        _loops = [.. Enumerable.Range(0, count).Select(index => new IoLoop(index, network, time, options))];
        Groups[Id] = this;
    }

    public string Id { get; }

    public IReadOnlyList<IoLoop> Loops => _loops;

    /// <summary>The sections of the loops' dispatchers, for the actor system's configuration.</summary>
    public string DispatcherConfig => string.Concat(_loops.Select(loop =>
        $$"""
        {{DispatcherId(loop.Index)}} {
          type = "{{ConfiguratorName}}"
          loop-group = "{{Id}}"
          loop = {{loop.Index}}
          throughput = 64
        }

        """));

    /// <summary>What actors of a loop name in <c>Props.WithDispatcher</c>.</summary>
    public static string DispatcherId(int loop) => $"router.io-dispatcher.loop-{loop}";

    /// <summary>Starts the loops' threads. After the actor system is made: its dispatchers bind themselves to
    /// them.</summary>
    public void Start() => Array.ForEach(_loops, static loop => loop.Start());

    public void Dispose()
    {
        Groups.TryRemove(Id, out _);
        Array.ForEach(_loops, static loop => loop.Dispose());
    }

    internal static IoLoop Find(string group, int loop) => Groups.TryGetValue(group, out var found)
        ? found._loops[loop]
        : throw new ArgumentException($"There is no loop group '{group}'.", nameof(group));
}

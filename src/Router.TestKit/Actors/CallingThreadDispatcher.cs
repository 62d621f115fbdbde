using Router.Configuration.Hocon;

namespace Router.TestKit.Actors;

/// <summary>Runs a turn on the thread that told: when Tell returns, the message has been handled, unless
/// another thread was running that actor and handles it there.</summary>
public sealed class CallingThreadDispatcher : MessageDispatcher
{
    /// <summary>The path of its configuration section.</summary>
    internal const string DispatcherId = "akka.test.calling-thread-dispatcher";

    [ThreadStatic]
    private static List<IRunnable>? _running;

    [ThreadStatic]
    private static HashSet<IRunnable>? _again;

    public CallingThreadDispatcher(MessageDispatcherConfigurator configurator)
        : base(configurator) => Throughput = int.MaxValue;

    protected override void ExecuteTask(IRunnable run)
    {
        var running = _running ??= [];
        var again = _again ??= [];
        if (running.Contains(run))
        {
            // Queued again by its own turn: run after it instead of deeper and deeper inside of it.
            again.Add(run);
            return;
        }

        running.Add(run);
        try
        {
            do
            {
                run.Run();
            }
            while (again.Remove(run));
        }
        finally
        {
            running.Remove(run);
        }
    }

    protected override void Shutdown()
    {
    }
}

/// <summary>Makes the system's one <see cref="CallingThreadDispatcher"/>.</summary>
public sealed class CallingThreadDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly CallingThreadDispatcher _dispatcher;

    public CallingThreadDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new CallingThreadDispatcher(this);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

using Router.Configuration.Hocon;

namespace Router.Actors;

/// <summary>Turns run on the process's thread pool. The default dispatcher.</summary>
internal sealed class PoolDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
{
    protected override void ExecuteTask(IRunnable run)
    {
        ThreadPool.UnsafeQueueUserWorkItem(run, preferLocal: false);
    }

    protected override void Shutdown()
    {
    }
}

internal sealed class PoolDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly PoolDispatcher _dispatcher;

    public PoolDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new PoolDispatcher(this);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

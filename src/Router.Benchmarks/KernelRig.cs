using Router.Configuration.Hocon;
using Router.Net;

namespace Router.Benchmarks;

/// <summary>An actor system for a benchmark: its actors live on one loop, driven by hand on the benchmark's thread, or
/// on the pool.</summary>
internal sealed class KernelRig : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IoLoopGroup _loops = new(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
    private readonly ActorSystem _system;
    private readonly ManualResetEventSlim _done = new();
    private readonly bool _onLoop;

    public KernelRig(bool onLoop)
    {
        _onLoop = onLoop;
        _system = ActorSystem.Create("bench", ConfigurationFactory.ParseString(_loops.DispatcherConfig));
    }

    /// <summary>Starts an actor that is told how to say that a benchmark's round is done.</summary>
    public IActorRef Start(Func<Action, ActorBase> make) => _system.ActorOf(On(() => make(_done.Set)));

    public Props On(Func<ActorBase> make)
    {
        var props = Props.CreateBy(new Producer(make));
        return _onLoop ? props.WithDispatcher(IoLoopGroup.DispatcherId(0)) : props;
    }

    /// <summary>Runs what has been told to its end.</summary>
    public void Finish()
    {
        if (_onLoop)
        {
            while (_loops.Loops[0].RunOnce(block: false))
            {
            }
        }

        if (!_done.Wait(Patience))
        {
            throw new TimeoutException("The actors were not done in time.");
        }

        _done.Reset();
    }

    public void Dispose()
    {
        _loops.Dispose();
        _done.Dispose();
    }

    private sealed class Producer(Func<ActorBase> make) : IIndirectActorProducer
    {
        public Type ActorType => typeof(ActorBase);

        public ActorBase Produce() => make();

        public void Release(ActorBase actor)
        {
        }
    }
}

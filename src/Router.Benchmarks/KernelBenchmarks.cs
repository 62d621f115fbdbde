using BenchmarkDotNet.Attributes;
using Router.Net;

namespace Router.Benchmarks;

/// <summary>What a message costs between actors of one loop, driven by hand on the benchmark's thread.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private const int Messages = 1_000;

    private IoLoopGroup _loops = null!;
    private ActorSystem _system = null!;
    private IActorRef _counter = null!;
    private IActorRef _ping = null!;
    private IActorRef _parent = null!;

    [GlobalSetup]
    public void Setup()
    {
        _loops = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        _system = ActorSystem.Create(
            "bench", Configuration.Hocon.ConfigurationFactory.ParseString(_loops.DispatcherConfig));
        var dispatcher = IoLoopGroup.DispatcherId(0);
        _counter = _system.ActorOf(Props.Create(() => new Counter()).WithDispatcher(dispatcher));
        _ping = _system.ActorOf(Props.Create(() => new Ping()).WithDispatcher(dispatcher));
        _parent = _system.ActorOf(Props.Create(() => new Parent(dispatcher)).WithDispatcher(dispatcher));
        RunLoop();
    }

    [GlobalCleanup]
    public void Cleanup() => _loops.Dispose();

    /// <summary>A Tell from outside the loop and its turn.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void Tell()
    {
        for (var i = 0; i < Messages; i++)
        {
            _counter.Tell(Step.Instance, ActorRefs.NoSender);
        }

        RunLoop();
    }

    /// <summary>An actor that tells itself: a Tell on the loop, and a turn.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void TellOnTheLoop()
    {
        _ping.Tell(Messages, ActorRefs.NoSender);
        RunLoop();
    }

    /// <summary>A child started and stopped.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void SpawnAndStop()
    {
        _parent.Tell(Messages, ActorRefs.NoSender);
        RunLoop();
    }

    private void RunLoop()
    {
        while (_loops.Loops[0].RunOnce(block: false))
        {
        }
    }

    private sealed class Step
    {
        public static readonly Step Instance = new();
    }

    private sealed class Counter : ActorBase
    {
        private long _count;

        protected override bool Receive(object message) => ++_count > 0;
    }

    private sealed class Ping : ActorBase
    {
        private int _left;

        protected override bool Receive(object message)
        {
            _left = message is int count ? count : _left - 1;
            if (_left > 0)
            {
                Self.Tell(Step.Instance, ActorRefs.NoSender);
            }

            return true;
        }
    }

    private sealed class Parent(string dispatcher) : ActorBase
    {
        private readonly Props _child = Props.Create(() => new Counter()).WithDispatcher(dispatcher);

        protected override bool Receive(object message)
        {
            for (var i = 0; i < (int)message; i++)
            {
                Context.Stop(Context.ActorOf(_child));
            }

            return true;
        }
    }
}

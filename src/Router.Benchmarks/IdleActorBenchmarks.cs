using BenchmarkDotNet.Attributes;

namespace Router.Benchmarks;

/// <summary>What an actor that has started and waits costs: all that is allocated for it is kept, so the column of
/// allocated bytes is its size, its place among its parent's children included.</summary>
[MemoryDiagnoser]
public class IdleActorBenchmarks
{
    private const int Actors = 10_000;

    private KernelRig _rig = null!;
    private IActorRef _parent = null!;

    [Params("loop", "pool")]
    public string Dispatcher { get; set; } = "loop";

    [IterationSetup]
    public void Setup()
    {
        _rig = new KernelRig(Dispatcher == "loop");
        _parent = _rig.Start(done => new Parent(_rig.On(() => new Idle(done))));
        Spawn();   // so that queues are as long as they get: their memory is no actor's
    }

    [IterationCleanup]
    public void Cleanup() => _rig.Dispose();

    [Benchmark(OperationsPerInvoke = Actors)]
    public void Spawn()
    {
        _parent.Tell(Actors, ActorRefs.NoSender);
        _rig.Finish();
    }

    private sealed class Idle(Action done) : ActorBase
    {
        protected override bool Receive(object message)
        {
            done();
            return true;
        }
    }

    private sealed class Parent(Props child) : ActorBase
    {
        private IActorRef? _last;

        protected override bool Receive(object message)
        {
            for (var i = 0; i < (int)message; i++)
            {
                _last = Context.ActorOf(child);
            }

            _last?.Tell("last", ActorRefs.NoSender);
            return true;
        }
    }
}

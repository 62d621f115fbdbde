using BenchmarkDotNet.Attributes;

namespace Router.Benchmarks;

/// <summary>A message to each of many actors of one loop in turn: what a Tell and its turn cost when the caches have
/// forgotten the actor since its last one.</summary>
[MemoryDiagnoser]
public class ManyActorsBenchmarks
{
    /// <summary>Messages of one round, whatever the number of actors.</summary>
    private const int Messages = 100_000;

    private KernelRig _rig = null!;
    private IActorRef _feeder = null!;

    [Params(10, 1_000, 100_000, 1_000_000)]
    public int Actors { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _rig = new KernelRig(onLoop: true);
        _feeder = _rig.Start(done => new Feeder(Actors, done, _rig));
    }

    [GlobalCleanup]
    public void Cleanup() => _rig.Dispose();

    [Benchmark(OperationsPerInvoke = Messages)]
    public void TellEach()
    {
        _feeder.Tell(this, ActorRefs.NoSender);
        _rig.Finish();
    }

    private sealed class Counter(Feeder feeder) : ActorBase
    {
        protected override bool Receive(object message)
        {
            feeder.Count();
            return true;
        }
    }

    /// <summary>Tells its actors, some at a time as a batch of datagrams does, the next when these have had their
    /// turns. In an order of its own: memory that is used in the order it was made would be fetched before it is asked
    /// for.</summary>
    private sealed class Feeder : ActorBase
    {
        private const int Batch = 64;

        private readonly Action _done;
        private readonly IActorRef[] _actors;
        private int _next;
        private int _left;
        private int _underWay;

        public Feeder(int actors, Action done, KernelRig rig)
        {
            _done = done;
            var props = rig.On(() => new Counter(this));
            _actors = [.. Enumerable.Range(0, actors).Select(_ => Context.ActorOf(props))];
            new Random(Messages).Shuffle(_actors);
        }

        /// <summary>One of them had its turn.</summary>
        public void Count()
        {
            if (--_underWay > 0)
            {
                return;
            }

            if (_left > 0)
            {
                Self.Tell(this, ActorRefs.NoSender);
            }
            else
            {
                _done();
            }
        }

        protected override bool Receive(object message)
        {
            _left = _left == 0 ? Messages : _left;
            _underWay = Math.Min(Batch, _left);
            _left -= _underWay;
            for (var i = 0; i < _underWay; i++)
            {
                _actors[_next].Tell(this, ActorRefs.NoSender);
                _next = _next + 1 == _actors.Length ? 0 : _next + 1;
            }

            return true;
        }
    }
}

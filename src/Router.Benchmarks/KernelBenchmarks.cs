using BenchmarkDotNet.Attributes;

namespace Router.Benchmarks;

/// <summary>What a message costs between actors, on a loop and on the pool; per message, and per child where children
/// are made.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private const int Messages = 1_000;
    private const int Senders = 4;

    private KernelRig _rig = null!;
    private IActorRef _counter = null!;
    private IActorRef _ping = null!;
    private IActorRef _pong = null!;
    private IActorRef _parent = null!;
    private IActorRef[] _senders = [];

    [Params("loop", "pool")]
    public string Dispatcher { get; set; } = "loop";

    [GlobalSetup]
    public void Setup()
    {
        _rig = new KernelRig(Dispatcher == "loop");
        _counter = _rig.Start(done => new Counter(done));
        _ping = _rig.Start(done => new Ponger(done));
        _pong = _rig.Start(done => new Ponger(done));
        _parent = _rig.Start(done => new Parent(done, _rig.On(static () => new Child())));
        _senders = [.. Enumerable.Range(0, Senders).Select(_ => _rig.Start(_ => new Sender()))];
    }

    [GlobalCleanup]
    public void Cleanup() => _rig.Dispose();

    /// <summary>A Tell from a thread that is no actor's, and its turn.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void Tell()
    {
        _counter.Tell(Messages, ActorRefs.NoSender);
        for (var i = 1; i < Messages; i++)
        {
            _counter.Tell(Step.Instance, ActorRefs.NoSender);
        }

        _rig.Finish();
    }

    /// <summary>Two actors that tell each other in turn: a Tell and a turn each.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void PingPong()
    {
        _ping.Tell(new Ball(_pong, Messages), ActorRefs.NoSender);
        _rig.Finish();
    }

    /// <summary>Four actors that tell one.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void FanIn()
    {
        _counter.Tell(Messages + 1, ActorRefs.NoSender);
        foreach (var sender in _senders)
        {
            sender.Tell(new Burst(_counter, Messages / Senders), ActorRefs.NoSender);
        }

        _rig.Finish();
    }

    /// <summary>A child started and stopped.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void SpawnAndStop()
    {
        _parent.Tell(Messages, ActorRefs.NoSender);
        _rig.Finish();
    }

    private sealed class Step
    {
        public static readonly Step Instance = new();
    }

    private sealed record Ball(IActorRef Other, int Left);

    private sealed record Burst(IActorRef To, int Count);

    /// <summary>Told how many messages there will be, this one included; done after the last.</summary>
    private sealed class Counter(Action done) : ActorBase
    {
        private int _left;

        protected override bool Receive(object message)
        {
            _left += message is int expected ? expected - 1 : -1;
            if (_left == 0)
            {
                done();
            }

            return true;
        }
    }

    private sealed class Ponger(Action done) : ActorBase
    {
        private IActorRef? _other;
        private int _left;

        protected override bool Receive(object message)
        {
            if (message is Ball ball)
            {
                (_other, _left) = (ball.Other, ball.Left / 2);
            }

            if (_other is null)
            {
                Sender.Tell(message, Self);
            }
            else if (_left-- > 0)
            {
                _other.Tell(Step.Instance, Self);
            }
            else
            {
                _other = null;
                done();
            }

            return true;
        }
    }

    private sealed class Sender : ActorBase
    {
        protected override bool Receive(object message)
        {
            var burst = (Burst)message;
            for (var i = 0; i < burst.Count; i++)
            {
                burst.To.Tell(Step.Instance, ActorRefs.NoSender);
            }

            return true;
        }
    }

    private sealed class Child : ActorBase
    {
        protected override bool Receive(object message) => true;
    }

    private sealed class Parent(Action done, Props child) : ActorBase
    {
        private int _left;

        protected override bool Receive(object message)
        {
            if (message is Terminated)
            {
                if (--_left == 0)
                {
                    done();
                }

                return true;
            }

            _left = (int)message;
            for (var i = 0; i < _left; i++)
            {
                Context.Stop(Context.Watch(Context.ActorOf(child)));
            }

            return true;
        }
    }
}

using BenchmarkDotNet.Attributes;

namespace Router.Benchmarks;

/// <summary>What a message costs between actors, on a loop and on the pool; per message, and per child where children
/// are made.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private const int Messages = 1_000;
    private const int Senders = 8;
    private const int Children = 100_000;

    private KernelRig _rig = null!;
    private IActorRef _counter = null!;
    private IActorRef _ping = null!;
    private IActorRef _pong = null!;
    private IActorRef _watcher = null!;
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
        var child = _rig.On(static () => new Child());
        _watcher = _rig.Start(done => new Watcher(done, _rig.On(() => new Parent(child))));
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

    /// <summary>Eight actors that tell one.</summary>
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

    /// <summary>100,000 children of one parent started, and stopped with it.</summary>
    [Benchmark(OperationsPerInvoke = Children)]
    public void SpawnAndStop()
    {
        _watcher.Tell(Children, ActorRefs.NoSender);
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

    /// <summary>Stops its parent, and so all its siblings, when it is told anything.</summary>
    private sealed class Child : ActorBase
    {
        protected override bool Receive(object message)
        {
            Context.Stop(Context.Parent);
            return true;
        }
    }

    /// <summary>Starts so many children, and tells the last when all have started.</summary>
    private sealed class Parent(Props child) : ActorBase
    {
        protected override bool Receive(object message)
        {
            var last = ActorRefs.Nobody;
            for (var i = 0; i < (int)message; i++)
            {
                last = Context.ActorOf(child);
            }

            last.Tell(Step.Instance, ActorRefs.NoSender);
            return true;
        }
    }

    /// <summary>Starts a parent, and is done when that has ended, which is after all its children.</summary>
    private sealed class Watcher(Action done, Props parent) : ActorBase
    {
        protected override bool Receive(object message)
        {
            if (message is Terminated)
            {
                done();
            }
            else
            {
                Context.Watch(Context.ActorOf(parent)).Tell(message, ActorRefs.NoSender);
            }

            return true;
        }
    }
}

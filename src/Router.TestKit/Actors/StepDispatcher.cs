using System.Collections.Concurrent;
using Router.Configuration.Hocon;

namespace Router.TestKit.Actors;

/// <summary>A single-threaded dispatcher that runs turns when it is told to, on the thread it is bound to:
/// what the I/O loop is to actors, without sockets. The order of turns is the order they were queued in.</summary>
internal sealed class StepDispatcher : MessageDispatcher
{
    /// <summary>The condition may come true without a turn: look again after so long.</summary>
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<IRunnable> _foreign = new();
    private readonly ManualResetEventSlim _wake = new();
    private IRunnable?[] _ring = new IRunnable?[1024];
    private int _head;
    private int _count;

    public StepDispatcher(MessageDispatcherConfigurator configurator)
        : base(configurator)
    {
    }

    /// <summary>Turns run so far.</summary>
    public long Turns { get; private set; }

    internal override bool IsSingleThreaded => true;

    /// <summary>Makes the current thread the dispatcher's.</summary>
    public void Bind() => BindToCurrentThread();

    public void Unbind() => UnbindFromCurrentThread();

    /// <summary>Runs one turn.</summary>
    /// <returns>False when none was queued.</returns>
    public bool RunOne()
    {
        while (_foreign.TryDequeue(out var foreign))
        {
            Enqueue(foreign);
        }

        if (_count == 0)
        {
            return false;
        }

        var run = _ring[_head]!;
        _ring[_head] = null;
        _head = (_head + 1) & (_ring.Length - 1);
        _count--;
        Turns++;
        run.Run();
        return true;
    }

    /// <summary>Runs turns until none is queued.</summary>
    public void RunUntilIdle()
    {
        while (RunOne())
        {
        }
    }

    /// <summary>Runs turns and sleeps in between, until the condition holds. As a loop does: sets its flag,
    /// looks once more, sleeps.</summary>
    /// <returns>False when nothing came for <paramref name="idleMax"/>.</returns>
    public bool RunUntil(Func<bool> condition, TimeSpan idleMax)
    {
        var idleSince = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            _wake.Reset();
            if (RunOne() || _wake.Wait(Nap))
            {
                idleSince = TimeProvider.System.GetTimestamp();
            }
            else if (TimeProvider.System.GetElapsedTime(idleSince) > idleMax)
            {
                return condition();
            }
        }

        return true;
    }

    protected override void ExecuteTask(IRunnable run)
    {
        if (ReferenceEquals(BoundToThread, this))
        {
            Enqueue(run);
        }
        else
        {
            _foreign.Enqueue(run);
            _wake.Set();
        }
    }

    protected override void Shutdown()
    {
    }

    private void Enqueue(IRunnable run)
    {
        if (_count == _ring.Length)
        {
            var larger = new IRunnable?[_ring.Length * 2];
            for (var i = 0; i < _count; i++)
            {
                larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
            }

            _ring = larger;
            _head = 0;
        }

        _ring[(_head + _count++) & (_ring.Length - 1)] = run;
    }
}

/// <summary>Makes the <see cref="StepDispatcher"/> of one section.</summary>
internal sealed class StepDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly StepDispatcher _dispatcher;

    public StepDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new StepDispatcher(this);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

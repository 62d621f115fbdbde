using System.Collections.Concurrent;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// The windows of one listener: they live on the loop whose session came first. What other loops gather in a pass is
/// handed over at its end, in one piece.
/// </summary>
internal sealed class ListenerWindows : IRunnable
{
    private const int LoopsMax = 64;

    private readonly CollectRoute _route;
    private readonly IoLoop _loop;
    private readonly Gatherer _windows;
    private readonly HomeHandler _homeHandler;
    private readonly ConcurrentQueue<PayloadRecords> _handedOver = new();
    private readonly Relay?[] _relays = new Relay?[LoopsMax];   // each made and used by its own loop
    private int _isAsked;

    public ListenerWindows(CollectRoute route, Shard home)
    {
        _route = route;
        _loop = home.Loop;
        _windows = new Gatherer(route, home, session: null);
        _homeHandler = new HomeHandler(route, _windows);
    }

    /// <summary>The handler of all of the listener's sessions on the session's loop.</summary>
    /// <remarks>A reload may have moved the listener: drops count where its sessions come to now.</remarks>
    public SessionHandler HandlerOn(SessionContext session)
    {
        if (ReferenceEquals(session.Loop, _loop))
        {
            _windows.Home = session.Shard;
            return _homeHandler;
        }

        return _relays[session.Loop.Index] ??= new Relay(this, session.Loop);
    }

    /// <summary>On the home loop: takes what other loops have handed over.</summary>
    public void Run()
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what is handed over from here on asks again
        while (_handedOver.TryDequeue(out var records))
        {
            foreach (var record in records)
            {
                _windows.Add(record.Header, record.Payload);
            }

            records.Release();
        }
    }

    public void Execute() => Run();

    /// <summary>Delivers all that is left, wherever it is; no session is left.</summary>
    public async Task FinishAsync(IReadOnlyList<IoLoop> loops)
    {
        foreach (var loop in loops)
        {
            await OnLoop(loop, () => _relays[loop.Index]?.OnEndOfPass()).ConfigureAwait(false);
        }

        await OnLoop(_loop, () =>
        {
            Run();
            _windows.Finish();
        }).ConfigureAwait(false);
    }

    private static Task OnLoop(IoLoop loop, Action step)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Enqueue(new ActionRunnable(() =>
        {
            step();
            done.SetResult();
        }));
        return done.Task;
    }

    private void HandOver(PayloadRecords records)
    {
        _handedOver.Enqueue(records);
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            _loop.Enqueue(this);
        }
    }

    private sealed class HomeHandler(CollectRoute route, Gatherer windows) : CollectHandler(route)
    {
        protected override void Add(SessionContext session, in RecordHeader header, ReadOnlySpan<byte> payload) =>
            windows.Add(header, payload);
    }

    /// <summary>Gathers for a pass what comes on another loop.</summary>
    private sealed class Relay(ListenerWindows windows, IoLoop loop) : CollectHandler(windows._route), IEndOfPass
    {
        private PayloadRecords? _records;

        public void OnEndOfPass()
        {
            if (_records is { } records)
            {
                _records = null;
                windows.HandOver(records);
            }
        }

        protected override void Add(SessionContext session, in RecordHeader header, ReadOnlySpan<byte> payload)
        {
            if (_records is null)
            {
                _records = new PayloadRecords(windows._route.Budget);
                loop.AtEndOfPass(this);
            }

            if (!_records.TryAdd(header, payload))
            {
                session.CountDrop(DropReason.CollectFull);
            }
        }
    }
}

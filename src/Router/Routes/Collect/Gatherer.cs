using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// The windows of one session, or of one listener: fills one, delivers it, begins the next. Loop thread.
/// </summary>
/// <remarks>
/// There is a window, and a timer for it, only while there is a payload in it: silence costs nothing.
/// </remarks>
/// <param name="route">What says when a window is full, and where it goes.</param>
/// <param name="home">The listener's part on the loop of the windows.</param>
/// <param name="session">Whose windows they are; null for the listener's.</param>
internal sealed class Gatherer(CollectRoute route, Shard home, SessionContext? session) : LoopTimer
{
    private readonly IoLoop _loop = home.Loop;
    private readonly CollectSettings _settings = route.Settings;
    private PayloadRecords? _records;
    private long _number;
    private bool _hasNew;   // sliding: something came since the last delivery

    /// <summary>Adds a copy of a payload; if the route's buffer is full, it is a counted drop.</summary>
    public void Add(in RecordHeader header, ReadOnlySpan<byte> payload)
    {
        var stamped = header with { AtMs = _loop.NowMs };
        if (!(_settings.IsSliding ? Slide(stamped, payload) : Tumble(stamped, payload)))
        {
            CountFull(1);
        }
    }

    /// <summary>Delivers what there is, because the session, or the router, ends.</summary>
    public void Finish()
    {
        _loop.Cancel(this);
        if (_settings.IsSliding)
        {
            if (_hasNew)
            {
                Evict(_settings.WindowMs, keepCount: int.MaxValue, keepBytes: long.MaxValue);
            }
            else
            {
                _records?.Clear();   // all of it was delivered
            }
        }

        if (_records is { Count: > 0 })
        {
            Deliver();
        }
        else
        {
            _records?.Release();
            _records = null;
        }
    }

    /// <summary>Where drops of a listener's windows are counted: a reload may move the listener.</summary>
    public Shard Home { get; set; } = home;

    internal override void OnTimer()
    {
        if (_settings.IsSliding)
        {
            DeliverSliding();
        }
        else if (_records is { Count: > 0 })
        {
            Deliver();
        }
    }

    private bool Tumble(in RecordHeader header, ReadOnlySpan<byte> payload)
    {
        if (_records is { Count: > 0 } open && open.PayloadBytes + payload.Length > _settings.Bytes)
        {
            Deliver();
        }

        var records = _records ??= new PayloadRecords(route.Budget);
        if (!records.TryAdd(header, payload))
        {
            if (records.Count == 0)
            {
                return false;
            }

            Deliver();   // ends early: windows without a time limit that fill the buffer together would wait for ever
            records = _records ??= new PayloadRecords(route.Budget);
            if (!records.TryAdd(header, payload))
            {
                return false;
            }
        }

        if (records.Count == _settings.Count || records.PayloadBytes >= _settings.Bytes)
        {
            Deliver();
        }
        else if (records.Count == 1 && _settings.WindowMs > 0)
        {
            _loop.Schedule(this, _loop.NowMs + _settings.WindowMs);
        }

        return true;
    }

    private bool Slide(in RecordHeader header, ReadOnlySpan<byte> payload)
    {
        var records = _records ??= new PayloadRecords(route.Budget);
        var countBefore = _settings.Count > 0 ? _settings.Count - 1 : int.MaxValue;
        Evict(_settings.WindowMs, countBefore, _settings.Bytes - payload.Length);
        if (!records.TryAdd(header, payload))
        {
            return false;
        }

        _hasNew = true;
        if (!IsArmed)
        {
            _loop.Schedule(this, _loop.NowMs + _settings.EveryMs);
        }

        return true;
    }

    private void DeliverSliding()
    {
        Evict(_settings.WindowMs, int.MaxValue, long.MaxValue);
        if (_records is not { Count: > 0 } records)
        {
            _records?.Release();
            _records = null;   // and no timer: the next payload arms it
            return;
        }

        _loop.Schedule(this, _loop.NowMs + _settings.EveryMs);
        _hasNew = false;
        var copy = new PayloadRecords(route.Budget);
        if (copy.TryAddAll(records))
        {
            Offer(copy);
        }
        else
        {
            CountFull(records.Count);
        }
    }

    private void Deliver()
    {
        _loop.Cancel(this);
        var records = _records!;
        _records = null;
        Offer(records);
    }

    private void Offer(PayloadRecords records) =>
        route.Outlet.Offer(new CollectedWindow(route.Name, Home.Listener, session?.Id, ++_number, records));

    /// <summary>Takes out the oldest payloads, as far as they are too old or there are too many.</summary>
    private void Evict(int windowMs, int keepCount, long keepBytes)
    {
        if (_records is not { } records)
        {
            return;
        }

        while (records.Count > 0
            && (records.Count > keepCount
                || records.PayloadBytes > keepBytes
                || (windowMs > 0 && _loop.NowMs - records.FirstAtMs > windowMs)))
        {
            records.RemoveFirst();
        }
    }

    private void CountFull(long payloads)
    {
        if (session is not null)
        {
            session.CountDrop(DropReason.CollectFull, payloads);
        }
        else
        {
            Home.Counters.Drops.Add(DropReason.CollectFull, payloads);
        }
    }
}

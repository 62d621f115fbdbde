using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Heap;

/// <summary>The managed heap as of its last collection, in bytes. Sizes do not count free space within it.</summary>
/// <param name="Size">All of it.</param>
/// <param name="AfterFull">What the last full collection left; 0 before the first.</param>
/// <param name="Gen2AfterFull">The part of that in generation 2.</param>
/// <param name="FullIndex">Which collection that was.</param>
/// <param name="Free">What it may grow by until the runtime finds memory short, the machine's or the control group's,
/// or refuses more. Not read anew while collections are held off.</param>
internal readonly record struct HeapFigures(long Size, long AfterFull, long Gen2AfterFull, long FullIndex, long Free)
{
    public static HeapFigures Read()
    {
        var last = GC.GetGCMemoryInfo(GCKind.Any);
        var background = GC.GetGCMemoryInfo(GCKind.Background);
        var blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        var full = background.Index > blocking.Index ? background : blocking;
        return new HeapFigures(
            last.HeapSizeBytes - last.FragmentedBytes,
            full.HeapSizeBytes - full.FragmentedBytes,
            full.GenerationInfo[2].SizeAfterBytes - full.GenerationInfo[2].FragmentationAfterBytes,
            full.Index,
            Math.Min(
                last.HighMemoryLoadThresholdBytes - last.MemoryLoadBytes,
                last.TotalAvailableMemoryBytes - last.HeapSizeBytes));
    }
}

/// <summary>Holds off full garbage collections while sessions open in large numbers, until there is garbage to
/// collect.</summary>
/// <remarks>
/// <para>The runtime collects the whole heap whenever that has grown by four fifths since the last full collection.
/// While sessions open it finds next to nothing, seven times on the way to 500,000, and takes the processor from loops.
/// So the heap may grow, beyond those four fifths, by what the sessions take that have opened since. Young collections
/// go on. The holding does not end with the rush, since a collection of all that opened would come then, beside loops
/// that are no less busy.</para>
/// <para>It looks once a second. While it holds, the runtime does not look how full memory is. So the heap may take
/// half of what was free when the holding began, and no more than the sessions account for. A process has one
/// collector: only the command <c>router run</c>, which owns the process, uses this.</para>
/// </remarks>
/// <param name="sessions">How many are open.</param>
/// <param name="prepared">How many are made ahead besides: opening one of those takes next to nothing.</param>
/// <param name="heap">Reads the heap.</param>
/// <param name="hold">Called with true to hold full collections off, then with false to allow them again.</param>
/// <param name="from">By how many a second the open sessions must grow for the holding to begin.</param>
internal sealed class HeldCollections(
    Func<int> sessions,
    Func<int> prepared,
    Func<HeapFigures> heap,
    Action<bool> hold,
    int from,
    TimeProvider time,
    ILogger log) : IDisposable
{
    /// <summary>By how much the heap may grow for each session. An idle session of a route without state takes some 900
    /// bytes. Where sessions take more, full collections do come, but more rarely.</summary>
    internal const int SessionBytes = 950;

    /// <summary>While generation 2 is smaller than some 4 MB, the runtime stops everything for full collections, and it
    /// goes by what the last one left. Held off from there, the next one was seen to stop everything for 100 ms.
    /// </summary>
    internal const long Gen2Min = 8 * 1024 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _beforeAt = time.GetTimestamp();
    private int _before = sessions();
    private int _atFull;
    private int _most;
    private long _fullIndex = -1;
    private long _sizeMax;
    private bool _isHeld;
    private bool _disposed;

    /// <returns>Null if <paramref name="from"/> is 0.</returns>
    public static HeldCollections? Start(
        Func<int> sessions,
        Func<int> prepared,
        Func<HeapFigures> heap,
        Action<bool> hold,
        int from,
        TimeProvider time,
        ILogger log)
    {
        var held = from == 0 ? null : new HeldCollections(sessions, prepared, heap, hold, from, time, log);
        if (held is not null)
        {
            held._timer = time.CreateTimer(static held => ((HeldCollections)held!).OnTick(), held, Period, Period);
        }

        return held;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        lock (_lock)
        {
            _disposed = true;
            Hold(false);
        }
    }

    private void OnTick()
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_beforeAt);
            if (!_disposed && elapsed >= Period / 2)   // a late one is followed by the next too soon to tell a rate
            {
                Look(elapsed);
            }
        }
    }

    private void Look(TimeSpan elapsed)
    {
        var (open, figures) = (sessions(), heap());
        var made = open + prepared();
        if (figures.FullIndex != _fullIndex)
        {
            _fullIndex = figures.FullIndex;
            _atFull = _most = made;   // what they take is in the figures already
        }

        _most = Math.Max(_most, made);   // those that ended since are still in the heap
        if (!_isHeld)
        {
            _sizeMax = figures.Size + (figures.Free / 2);
        }

        var opened = (int)Math.Round((open - _before) / elapsed.TotalSeconds);
        _before = open;
        _beforeAt = time.GetTimestamp();
        var reason = ReasonToRelease(figures, made, opened);
        if (!_isHeld && reason is null && opened >= from)
        {
            Hold(true);
            HostLog.CollectionsHeld(log, open, figures.Size);
        }
        else if (_isHeld && reason is not null)
        {
            Hold(false);
            HostLog.CollectionsReleased(log, reason, open, figures.Size);
        }
    }

    /// <summary>Why collections may not be held off, or null.</summary>
    private string? ReasonToRelease(HeapFigures figures, int made, int opened)
    {
        if (figures.Size >= _sizeMax)
        {
            return "memory";
        }

        var runtimes = figures.AfterFull / 5 * 9;
        if (figures.Gen2AfterFull < Gen2Min || figures.Size > runtimes + ((long)(_most - _atFull) * SessionBytes))
        {
            return "heap";
        }

        // Most sessions have ended, so there is garbage; and no rush is disturbed.
        return made < _most / 2 && Math.Abs(opened) < from ? "sessions" : null;
    }

    private void Hold(bool isHeld)
    {
        if (isHeld != _isHeld)
        {
            _isHeld = isHeld;
            hold(isHeld);
        }
    }
}

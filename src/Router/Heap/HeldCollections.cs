using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Heap;

/// <summary>The managed heap as of its last collection, in bytes. Sizes are without free space within.</summary>
/// <param name="Size">All of it.</param>
/// <param name="AfterFull">What the last collection of all of it left; 0 before the first.</param>
/// <param name="Gen2AfterFull">That of it which was in generation 2.</param>
/// <param name="FullIndex">Which one that was.</param>
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

/// <summary>Holds off collections of the whole heap from when sessions open in numbers until it has garbage to show.
/// </summary>
/// <remarks>
/// <para>The runtime looks through the whole heap whenever it has grown by four fifths since it last did. While
/// sessions open it finds next to nothing, seven times on the way to 500,000, and takes the processor from loops for
/// it. So what those take that have opened since is allowed for besides. Young collections go on. It does not end with
/// the rush: what would come then is one collection of all that opened, beside loops that are no less busy.</para>
/// <para>It looks once a second. While it holds, the runtime does not look how full memory is: what is let be is
/// bounded by the measure above, and the heap may take half of what was free when it began. The process has one
/// collector: this is for who owns the process, the command <c>router run</c>.</para>
/// </remarks>
internal sealed class HeldCollections : IDisposable
{
    /// <summary>What a session is allowed for. An idle one of a route without state takes some 900 bytes; where
    /// sessions take more, full collections come, more rarely than without.</summary>
    internal const int SessionBytes = 950;

    /// <summary>While generation 2 is small, some 4 MB, the runtime collects the whole heap by stopping everything, and
    /// it goes by what the last such collection left: held off from there, the next was seen to stop all for 100 ms.
    /// </summary>
    internal const long Gen2Min = 8 * 1024 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Func<int> _sessions;
    private readonly Func<int> _prepared;
    private readonly Func<HeapFigures> _heap;
    private readonly Action<bool> _hold;
    private readonly int _from;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private readonly TimeProvider _time;
    private long _beforeAt;
    private int _before;
    private int _atFull;
    private int _most;
    private long _fullIndex = -1;
    private long _sizeMax;
    private bool _isHeld;
    private bool _disposed;

    /// <param name="sessions">How many are open.</param>
    /// <param name="prepared">How many are prepared besides: opening one of those takes next to nothing.</param>
    /// <param name="heap">Reads the heap.</param>
    /// <param name="hold">Told true when full collections are to be held off, false when no more; in turn.</param>
    /// <param name="from">By how many a second the open sessions must grow for it to begin.</param>
    /// <param name="time">What the seconds are by.</param>
    internal HeldCollections(
        Func<int> sessions,
        Func<int> prepared,
        Func<HeapFigures> heap,
        Action<bool> hold,
        int from,
        TimeProvider time,
        ILogger log)
    {
        (_sessions, _prepared, _heap, _hold, _from, _time, _log) = (sessions, prepared, heap, hold, from, time, log);
        (_before, _beforeAt) = (sessions(), time.GetTimestamp());
        _timer = time.CreateTimer(static held => ((HeldCollections)held!).OnTick(), this, Period, Period);
    }

    /// <summary>For this process; null if <paramref name="from"/> is 0.</summary>
    public static HeldCollections? Start(
        Func<int> sessions, Func<int> prepared, Action<bool> hold, int from, TimeProvider time, ILogger log) =>
        from == 0
            ? null
            : new HeldCollections(sessions, prepared, HeapFigures.Read, hold, from, time, log);

    public void Dispose()
    {
        _timer.Dispose();
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
            var elapsed = _time.GetElapsedTime(_beforeAt);
            if (!_disposed && elapsed >= Period / 2)   // a late one is followed by the next too soon to tell a rate
            {
                Look(_sessions(), _prepared(), elapsed, _heap());
            }
        }
    }

    private void Look(int sessions, int prepared, TimeSpan elapsed, HeapFigures heap)
    {
        var made = sessions + prepared;
        if (heap.FullIndex != _fullIndex)
        {
            _fullIndex = heap.FullIndex;
            _atFull = _most = made;   // those made before it are not allowed for
        }

        _most = Math.Max(_most, made);   // those that ended since are still in the heap
        if (!_isHeld)
        {
            _sizeMax = heap.Size + (heap.Free / 2);
        }

        var opened = (int)Math.Round((sessions - _before) / elapsed.TotalSeconds);
        _before = sessions;
        _beforeAt = _time.GetTimestamp();
        var against = WhatIsAgainst(heap, made, opened);
        if (!_isHeld && against is null && opened >= _from)
        {
            Hold(true);
            HostLog.CollectionsHeld(_log, sessions, heap.Size);
        }
        else if (_isHeld && against is not null)
        {
            Hold(false);
            HostLog.CollectionsReleased(_log, against, sessions, heap.Size);
        }
    }

    /// <summary>Why collections may not be held off, or null.</summary>
    private string? WhatIsAgainst(HeapFigures heap, int made, int opened)
    {
        if (heap.Size >= _sizeMax)
        {
            return "memory";
        }

        var runtimes = heap.AfterFull / 5 * 9;
        if (heap.Gen2AfterFull < Gen2Min || heap.Size > runtimes + ((long)(_most - _atFull) * SessionBytes))
        {
            return "heap";
        }

        // There is garbage to find, and no rush to disturb.
        return made < _most / 2 && Math.Abs(opened) < _from ? "sessions" : null;
    }

    private void Hold(bool isHeld)
    {
        if (isHeld != _isHeld)
        {
            _isHeld = isHeld;
            _hold(isHeld);
        }
    }
}

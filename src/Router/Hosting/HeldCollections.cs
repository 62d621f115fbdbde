using System.Runtime;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Hosting;

/// <summary>The managed heap as of its last collection, in bytes. Sizes are without free space within.</summary>
/// <param name="Size">All of it.</param>
/// <param name="Whole">What the last collection of all of it left; 0 before the first.</param>
/// <param name="WholeOld">That of it which was in generation 2.</param>
/// <param name="WholeIndex">Which one that was.</param>
/// <param name="Free">What it may grow by until the runtime finds memory short, the machine's or the control group's,
/// or refuses more. Not read anew while collections are held off.</param>
internal readonly record struct HeapFigures(long Size, long Whole, long WholeOld, long WholeIndex, long Free)
{
    public static HeapFigures Read()
    {
        var last = GC.GetGCMemoryInfo(GCKind.Any);
        var background = GC.GetGCMemoryInfo(GCKind.Background);
        var blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        var whole = background.Index > blocking.Index ? background : blocking;
        return new HeapFigures(
            last.HeapSizeBytes - last.FragmentedBytes,
            whole.HeapSizeBytes - whole.FragmentedBytes,
            whole.GenerationInfo[2].SizeAfterBytes - whole.GenerationInfo[2].FragmentationAfterBytes,
            whole.Index,
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
/// it. So its measure is applied to what the heap has for each session: no more garbage is let be than it would let be
/// itself. Young collections go on. It does not end with the rush: what would come then is one collection of all that
/// opened, beside loops that are no less busy.</para>
/// <para>It looks once a second. While it holds, the runtime does not look how full memory is, and would refuse memory
/// rather than collect for it: so the heap may take half of what was free when it began. The process has one
/// collector: this is for who owns the process, <see cref="RouterRunner"/>.</para>
/// </remarks>
internal sealed class HeldCollections : IDisposable
{
    /// <summary>With fewer sessions at the last whole collection, what it left says little of what one takes.</summary>
    internal const int SessionsMin = 10_000;

    /// <summary>While generation 2 is small, some 4 MB, the runtime collects the whole heap by stopping everything, and
    /// it goes by what the last such collection left: held off from there, the next was seen to stop all for 100 ms.
    /// </summary>
    internal const long WholeOldMin = 8 * 1024 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Func<int> _sessions;
    private readonly Func<HeapFigures> _heap;
    private readonly Action<bool> _hold;
    private readonly int _from;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private int _before;
    private int _atWhole;
    private int _most;
    private long _wholeIndex = -1;
    private long _sizeMax;
    private bool _isHeld;
    private bool _disposed;

    /// <param name="sessions">How many are open.</param>
    /// <param name="heap">Reads the heap.</param>
    /// <param name="hold">Told true when whole collections are to be held off, false when no more; in turn.</param>
    /// <param name="from">By how many a second the open sessions must grow for it to begin.</param>
    /// <param name="time">What the seconds are by.</param>
    internal HeldCollections(
        Func<int> sessions, Func<HeapFigures> heap, Action<bool> hold, int from, TimeProvider time, ILogger log)
    {
        (_sessions, _heap, _hold, _from, _log) = (sessions, heap, hold, from, log);
        _before = sessions();
        _timer = time.CreateTimer(static held => ((HeldCollections)held!).OnTick(), this, Period, Period);
    }

    /// <summary>For this process; null if <paramref name="from"/> is 0, or if its collector has no such mode.</summary>
    public static HeldCollections? Start(
        RouterStats stats, Action<bool> hold, int from, TimeProvider time, ILogger log) =>
        from == 0 || GCSettings.IsServerGC
            ? null
            : new HeldCollections(() => stats.Sessions, HeapFigures.Read, hold, from, time, log);

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
            if (!_disposed)
            {
                Look(_sessions(), _heap());
            }
        }
    }

    private void Look(int sessions, HeapFigures heap)
    {
        if (heap.WholeIndex != _wholeIndex)
        {
            _wholeIndex = heap.WholeIndex;
            _atWhole = _most = sessions;   // or fewer, by what opened since: then one takes more than it seems
        }

        _most = Math.Max(_most, sessions);   // those that ended since are still in the heap
        if (!_isHeld)
        {
            _sizeMax = heap.Size + (heap.Free / 2);
        }

        var opened = sessions - _before;
        _before = sessions;
        var against = WhatIsAgainst(heap, sessions, opened);
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
    private string? WhatIsAgainst(HeapFigures heap, int sessions, int opened)
    {
        if (heap.Size >= _sizeMax)
        {
            return "memory";
        }

        // For each session the heap may be as large as the runtime would let it be after the last whole collection.
        if (_atWhole < SessionsMin
            || heap.WholeOld < WholeOldMin
            || (double)heap.Size * _atWhole > 1.8 * heap.Whole * _most)
        {
            return "heap";
        }

        // There is garbage to show, and no rush to show it in.
        return sessions < _most / 2 && Math.Abs(opened) < _from ? "sessions" : null;
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

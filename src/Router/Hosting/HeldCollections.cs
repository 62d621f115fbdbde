using System.Runtime;
using Router.Diagnostics;

namespace Router.Hosting;

/// <summary>The managed heap as of its last collection, in bytes.</summary>
/// <param name="Size">All of it.</param>
/// <param name="Whole">What the last collection of all of it left; 0 before the first.</param>
/// <param name="WholeIndex">Which one that was.</param>
/// <param name="Load">Memory in use: the machine's, or the control group's.</param>
/// <param name="HighLoad">From where on the runtime finds that memory is short.</param>
internal readonly record struct HeapFigures(long Size, long Whole, long WholeIndex, long Load, long HighLoad)
{
    public static HeapFigures Read()
    {
        var last = GC.GetGCMemoryInfo(GCKind.Any);
        var background = GC.GetGCMemoryInfo(GCKind.Background);
        var blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        var whole = background.Index > blocking.Index ? background : blocking;
        return new HeapFigures(
            last.HeapSizeBytes,
            whole.HeapSizeBytes,
            whole.Index,
            last.MemoryLoadBytes,
            last.HighMemoryLoadThresholdBytes);
    }
}

/// <summary>Holds off collections of the whole heap while it has grown by no more than sessions opened.</summary>
/// <remarks>
/// What has grown then is alive. The runtime looks through all of it whenever it has grown by four fifths, in the
/// background, on a processor that a loop may wait for, and finds nothing. Young collections go on. It decides after
/// each collection and needs no timer: without collections there is nothing to hold off. The process has one collector,
/// so this is for who owns the process: <see cref="RouterRunner"/>.
/// </remarks>
internal sealed class HeldCollections : IDisposable
{
    /// <summary>Fewer sessions are not worth it.</summary>
    internal const int SessionsMin = 1_000;

    /// <summary>By what the last whole collection left, the runtime decides whether it does the next one in the
    /// background, which it does from some 4 MB on: held off from a smaller heap, it would come as a blocking one, of
    /// 100 ms in a heap of 200 MB.</summary>
    internal const long WholeMin = 8 * 1024 * 1024;

    private readonly Func<int> _sessions;
    private readonly Func<HeapFigures> _heap;
    private readonly Action<bool> _hold;
    private readonly int _perSession;
    private readonly Lock _lock = new();
    private CollectionWatch? _watch;
    private long _wholeIndex = -1;
    private int _base;
    private int _most;
    private bool _isHeld;
    private bool _disposed;

    /// <param name="sessions">How many are open.</param>
    /// <param name="heap">Reads the heap.</param>
    /// <param name="hold">Told true when whole collections are to be held off, false when no more; in turn.</param>
    /// <param name="perSession">Bytes that the heap may have grown by for each session.</param>
    internal HeldCollections(Func<int> sessions, Func<HeapFigures> heap, Action<bool> hold, int perSession) =>
        (_sessions, _heap, _hold, _perSession) = (sessions, heap, hold, perSession);

    /// <summary>For this process; null if <paramref name="perSession"/> is 0, or if its collector has no such mode.
    /// </summary>
    public static HeldCollections? Start(RouterStats stats, int perSession)
    {
        if (perSession == 0 || GCSettings.IsServerGC)
        {
            return null;
        }

        var before = GCSettings.LatencyMode;
        var held = new HeldCollections(
            () => stats.Sessions,
            HeapFigures.Read,
            hold => GCSettings.LatencyMode = hold ? GCLatencyMode.LowLatency : before,
            perSession);
        held._watch = new CollectionWatch(held.OnCollected);
        return held;
    }

    /// <summary>A collection has ended. Any thread.</summary>
    internal void OnCollected()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            var sessions = _sessions();
            var heap = _heap();
            if (heap.WholeIndex != _wholeIndex)
            {
                _wholeIndex = heap.WholeIndex;
                _base = _most = sessions;
            }

            // Those that ended since stay in the heap until it is collected: what they took is still accounted for.
            _most = Math.Max(_most, sessions);
            Hold(IsAlive(heap, _most - _base) && heap.Load < heap.HighLoad / 4 * 3);
        }
    }

    public void Dispose()
    {
        _watch?.Dispose();
        lock (_lock)
        {
            _disposed = true;
            Hold(false);
        }
    }

    /// <summary>The heap is no larger than the runtime would let it grow, and what the sessions take that opened since.
    /// </summary>
    private bool IsAlive(HeapFigures heap, long opened) =>
        opened >= SessionsMin
        && heap.Whole >= WholeMin
        && heap.Size <= (heap.Whole / 5 * 9) + (opened * _perSession);

    private void Hold(bool isHeld)
    {
        if (isHeld != _isHeld)
        {
            _isHeld = isHeld;
            _hold(isHeld);
        }
    }
}

using System.Numerics;

namespace Router.Diagnostics;

/// <summary>How long the garbage collections of an interval stopped all threads.</summary>
/// <param name="Pauses">How many there were.</param>
/// <param name="P99Us">99 of 100 stopped the threads no longer than so many microseconds; up to an eighth too
/// high.</param>
/// <param name="MaxUs">The longest, in microseconds.</param>
/// <param name="Blocking">Full collections that stopped the threads from beginning to end.</param>
internal readonly record struct GcFigures(long Pauses, long P99Us, long MaxUs, long Blocking);

/// <summary>Measures how long each garbage collection stops the process. Costs nothing between collections.</summary>
/// <remarks>
/// Every collection finds an object without references, whose finalizer then reads the runtime's own account of pauses
/// and leaves another such object. Collections that follow each other faster than the finalizer runs are counted as one
/// pause of their sum, which is never too low. Any thread.
/// </remarks>
internal sealed class GcPauses : IDisposable
{
    private const int BitsPerStep = 3;   // eight steps per doubling
    private const int Steps = 1 << BitsPerStep;
    private const int Buckets = 32 * Steps;

    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[Buckets];
    private long _seen = GC.GetGCMemoryInfo(GCKind.Any).Index;
    private long _seenBlocking = GC.GetGCMemoryInfo(GCKind.FullBlocking).Index;
    private TimeSpan _paused = GC.GetTotalPauseDuration();
    private long _maxUs;
    private long _pauses;
    private long _blocking;
    private volatile bool _disposed;

    public GcPauses() => Sentinel.Leave(this);

    /// <summary>The figures since the last call.</summary>
    public GcFigures Read()
    {
        lock (_lock)
        {
            var figures = new GcFigures(_pauses, Quantile(99), _maxUs, _blocking);
            Array.Clear(_counts);
            _maxUs = 0;
            _pauses = 0;
            _blocking = 0;
            return figures;
        }
    }

    public void Dispose() => _disposed = true;

    /// <summary>Counts a pause. Internal for tests.</summary>
    internal void Count(long pauseUs)
    {
        lock (_lock)
        {
            _pauses++;
            _maxUs = Math.Max(_maxUs, pauseUs);
            _counts[BucketOf(pauseUs)]++;
        }
    }

    private static int BucketOf(long us)
    {
        if (us < Steps)
        {
            return (int)Math.Max(0, us);
        }

        var shift = BitOperations.Log2((ulong)us) - BitsPerStep;
        return Math.Min(Buckets - 1, (shift * Steps) + (int)(us >> shift));
    }

    /// <summary>The largest value of a bucket.</summary>
    private static long LargestOf(int bucket)
    {
        if (bucket < 2 * Steps)
        {
            return bucket;
        }

        var shift = (bucket / Steps) - 1;
        return (((long)(bucket - (shift * Steps)) + 1) << shift) - 1;
    }

    private long Quantile(int percent)
    {
        var counted = _counts.Sum();   // less than _pauses where some were counted as one
        var below = 0L;
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            below += _counts[bucket];
            if (below > 0 && below * 100 >= counted * percent)
            {
                return Math.Min(_maxUs, LargestOf(bucket));
            }
        }

        return 0;
    }

    private void Observe()
    {
        var seen = GC.GetGCMemoryInfo(GCKind.Any).Index;
        var blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking).Index;
        var paused = GC.GetTotalPauseDuration();
        lock (_lock)
        {
            Count((long)(paused - _paused).TotalMicroseconds);
            _pauses += Math.Max(0, seen - _seen - 1);
            _blocking += blocking == _seenBlocking ? 0 : 1;
            _seen = seen;
            _seenBlocking = blocking;
            _paused = paused;
        }
    }

    private sealed class Sentinel(GcPauses owner)
    {
        ~Sentinel()
        {
            if (!owner._disposed)
            {
                owner.Observe();
                Leave(owner);
            }
        }

        public static void Leave(GcPauses owner) => _ = new Sentinel(owner);
    }
}

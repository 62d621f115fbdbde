using System.Collections.Concurrent;
using Router.Loop;

namespace Router.Cluster.Packs;

/// <summary>What other members have sent and one loop has not passed on yet.</summary>
/// <param name="loop">Whose.</param>
internal abstract class PackInbox(IoLoop loop)
{
    private long _late;

    public IoLoop Loop => loop;

    /// <summary>Payloads that found no room. Any thread.</summary>
    public long Late => Volatile.Read(ref _late);

    /// <summary>Of those, the ones that the log has. The actor's.</summary>
    public long LateLogged { get; set; }

    /// <summary>The actor's thread.</summary>
    protected void CountLate(int payloads) => Volatile.Write(ref _late, _late + payloads);
}

/// <summary>A queue of at most a window's bytes.</summary>
/// <param name="loop">Whose.</param>
/// <param name="window">Bytes that may wait.</param>
internal abstract class PackInbox<T>(IoLoop loop, int window) : PackInbox(loop), IRunnable, IEndOfPass
{
    /// <summary>Passed on in one pass, so that the loop's own sockets have their turn.</summary>
    private const int BytesPerPass = 64 << 10;

    private readonly ConcurrentQueue<T> _waiting = new();
    private long _bytes;
    private int _isAsked;

    /// <summary>The actor's thread.</summary>
    /// <param name="arrival">What has come.</param>
    /// <param name="payloads">In it, for the loop's sessions.</param>
    public void Add(T arrival, int payloads)
    {
        var bytes = BytesOf(arrival);
        if (Interlocked.Add(ref _bytes, bytes) > window)
        {
            Interlocked.Add(ref _bytes, -bytes);
            CountLate(payloads);
            return;
        }

        _waiting.Enqueue(arrival);
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            Loop.Enqueue(this);
        }
    }

    /// <summary>Passes on what has come. The loop's thread.</summary>
    public void Run()
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what is added from here on asks again
        var bytes = 0;
        try
        {
            while (bytes < BytesPerPass && _waiting.TryDequeue(out var arrival))
            {
                bytes += BytesOf(arrival);
                Interlocked.Add(ref _bytes, -BytesOf(arrival));
                PassOn(arrival);
            }
        }
        finally
        {
            // Also where one has failed: nothing else asks for those behind it.
            if (!_waiting.IsEmpty && Interlocked.Exchange(ref _isAsked, 1) == 0)
            {
                Loop.AtEndOfPass(this);
            }
        }
    }

    public void Execute() => Run();

    public void OnEndOfPass() => Loop.Enqueue(this);

    protected abstract int BytesOf(T arrival);

    protected abstract void PassOn(T arrival);
}

using System.Collections.Concurrent;
using Router.Loop;
using Router.Sessions;

namespace Router.Cluster.Rooms;

/// <summary>A pack for loops, with the rooms that its runs are for.</summary>
internal sealed record RoomArrival(byte[] Bytes, IReadOnlyList<(IRoomHearer Room, RoomRun Run)> Runs)
{
    /// <summary>Payloads for sessions of a loop.</summary>
    public int PayloadsFor(IoLoop loop)
    {
        var payloads = 0;
        foreach (var (room, run) in Runs)
        {
            payloads += room.IsHeardOn(loop) ? run.Payloads : 0;
        }

        return payloads;
    }
}

/// <summary>What other members have said and one loop has not passed on yet: at most a window's bytes.</summary>
internal sealed class RoomInbox(RoomSpan span, IoLoop loop) : IRunnable, IEndOfPass
{
    /// <summary>Passed on in one pass, so that the loop's own sockets have their turn.</summary>
    private const int BytesPerPass = 64 << 10;

    private readonly ConcurrentQueue<RoomArrival> _waiting = new();
    private long _bytes;
    private long _late;
    private int _isAsked;

    public IoLoop Loop => loop;

    /// <summary>Payloads that found no room. Any thread.</summary>
    public long Late => Volatile.Read(ref _late);

    /// <summary>Of those, the ones that the log has. The actor's.</summary>
    public long LateLogged { get; set; }

    /// <summary>The actor's thread.</summary>
    /// <param name="payloads">For the loop's sessions.</param>
    public void Add(RoomArrival arrival, int payloads)
    {
        if (Interlocked.Add(ref _bytes, arrival.Bytes.Length) > span.Window)
        {
            Interlocked.Add(ref _bytes, -arrival.Bytes.Length);
            Volatile.Write(ref _late, _late + payloads);
            return;
        }

        _waiting.Enqueue(arrival);
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            loop.Enqueue(this);
        }
    }

    /// <summary>Passes on what has come. The loop's thread.</summary>
    public void Run()
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what is added from here on asks again
        var bytes = 0;
        while (bytes < BytesPerPass && _waiting.TryDequeue(out var arrival))
        {
            bytes += arrival.Bytes.Length;
            Interlocked.Add(ref _bytes, -arrival.Bytes.Length);
            PassOn(arrival);
        }

        if (!_waiting.IsEmpty && Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            loop.AtEndOfPass(this);
        }
    }

    public void Execute() => Run();

    public void OnEndOfPass() => loop.Enqueue(this);

    private void PassOn(RoomArrival arrival)
    {
        foreach (var (room, run) in arrival.Runs)
        {
            if (!room.IsHeardOn(loop))
            {
                continue;
            }

            ReadOnlySpan<byte> bytes = arrival.Bytes.AsSpan(run.Start, run.Length);
            while (RoomRun.TryTake(ref bytes, out var payload))
            {
                room.Hear(loop, payload);
            }
        }
    }
}

using System.Collections.Concurrent;
using Router.Loop;

namespace Router.Routes;

/// <summary>
/// The way from one loop to another: what is said in a pass goes over in one piece, and the piece comes back empty.
/// </summary>
internal sealed class RoomBridge(RoomRoute route, IoLoop target) : IRunnable
{
    /// <summary>Empty pieces, without memory: to fill, under way, and for a loop that lags.</summary>
    private const int SpareMax = 16;

    private readonly ConcurrentQueue<Piece> _sent = new();
    private readonly ConcurrentQueue<Piece> _spare = new();
    private Piece? _open;
    private RoomLoop? _ears;   // the target's
    private int _isAsked;

    public IoLoop Target => target;

    /// <summary>On the speaker's loop; false if the route's buffer is full.</summary>
    public bool TryAdd(Room room, ReadOnlySpan<byte> payload)
    {
        if (_open is null && !_spare.TryDequeue(out _open))
        {
            _open = new Piece(new PayloadRecords(route.Budget));
        }

        if (!_open.Payloads.TryAdd(new RecordHeader(default, default, 0, 0, payload.Length), payload))
        {
            return false;
        }

        _open.Rooms.Add(room);
        return true;
    }

    /// <summary>On the speaker's loop, at the end of its pass.</summary>
    public void Send()
    {
        if (_open is not { Rooms.Count: > 0 } piece)
        {
            return;
        }

        _open = null;
        _sent.Enqueue(piece);
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            target.Enqueue(this);
        }
    }

    /// <summary>On the target loop.</summary>
    public void Run()
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what is sent from here on asks again
        _ears ??= route.On(target);
        while (_sent.TryDequeue(out var piece))
        {
            var next = 0;
            foreach (var record in piece.Payloads)
            {
                _ears.Hear(piece.Rooms[next++], record.Payload);
            }

            piece.Rooms.Clear();
            piece.Payloads.Release();   // only what is under way counts: idle pieces would keep other loops silent
            if (_spare.Count < SpareMax)
            {
                _spare.Enqueue(piece);
            }
        }
    }

    public void Execute() => Run();

    private sealed record Piece(PayloadRecords Payloads)
    {
        public List<Room> Rooms { get; } = [];
    }
}

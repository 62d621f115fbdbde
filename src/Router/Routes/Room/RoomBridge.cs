using System.Collections.Concurrent;
using Router.Loop;

namespace Router.Routes;

/// <summary>
/// The way of a route's payloads from one loop to another: those of one pass go over in one piece, which comes back
/// empty.
/// </summary>
internal sealed class RoomBridge(RoomRoute route, IoLoop target) : IRunnable
{
    /// <summary>Empty pieces, without memory: to fill, under way, and for a loop that lags.</summary>
    private const int SpareMax = 16;

    private readonly ConcurrentQueue<Piece> _sent = new();
    private readonly ConcurrentQueue<Piece> _spare = new();
    private Piece? _open;
    private RoomLoop? _receiver;   // the route's part on the target
    private int _isAsked;

    public IoLoop Target => target;

    /// <summary>Adds a payload to what this pass sends. The sender's loop.</summary>
    /// <returns>False if the route's buffer is full.</returns>
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

    /// <summary>Hands over what the pass has added, at its end. The sender's loop.</summary>
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

    /// <summary>Delivers what was handed over. The target's loop.</summary>
    public void Run()
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what is sent from here on asks again
        _receiver ??= route.On(target);
        while (_sent.TryDequeue(out var piece))
        {
            var next = 0;
            foreach (var record in piece.Payloads)
            {
                _receiver.Receive(piece.Rooms[next++], record.Payload);
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

using System.Runtime.CompilerServices;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>One session's datagrams of one received batch: the message a listener tells a session.</summary>
/// <remarks>
/// Lent: it lists receive slots and is good until the end of the loop's pass, when the listener takes it back. What a
/// session could
/// not take by then (suspended, on the pool) is detached: the payloads are copied into memory of the run's own.
/// </remarks>
internal sealed class DatagramRun
{
    private readonly DatagramBatch _batch;
    private readonly BufferPool _buffers;
    private readonly int[] _next;   // slot -> the session's next slot in the batch; shared by the batch's runs
    private int _first;             // the place of its first datagram, see DatagramBatch
    private int _last;              // the slot of its last one
    private byte[]? _owned;         // payloads back to back
    private int[]? _ends;           // where each ends
    private int _handed;            // payloads the handler has been given
    private int _skipped;           // detached payloads of before, see SkipHanded

    public DatagramRun(DatagramBatch batch, int[] next, BufferPool buffers)
    {
        _batch = batch;
        _next = next;
        _buffers = buffers;
    }

    public SessionContext? Session { get; private set; }

    public int Count { get; private set; }

    /// <summary>Payload bytes in all.</summary>
    public int Bytes { get; private set; }

    /// <summary>The session has handled it, or it was dropped with it.</summary>
    public bool IsConsumed { get; set; }

    public bool IsDetached => _owned is not null;

    /// <summary>The payload that is next to be given to the handler.</summary>
    public ReadOnlySpan<byte> First => PayloadAt(PlaceAfter(-1));

    /// <summary>Starts with one slot: <paramref name="count"/> datagrams of <paramref name="bytes"/> bytes in
    /// all.</summary>
    public void Begin(SessionContext session, int slot, int bytes, int count = 1)
    {
        Session = session;
        _first = DatagramBatch.PlaceOf(slot);
        _last = slot;
        Count = count;
        Bytes = bytes;
        _handed = 0;
        IsConsumed = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(int slot, int bytes, int count = 1)
    {
        _next[_last] = slot;
        _last = slot;
        Count += count;
        Bytes += bytes;
    }

    /// <summary>Copies the payloads out of the receive slots. Allocates: taken only off the common path.</summary>
    public void Detach()
    {
        Check.That(!IsDetached);
        var owned = _buffers.Rent(Bytes);
        var ends = new int[Count];
        var used = 0;
        var place = -1;
        for (var i = 0; i < Count; i++)
        {
            place = PlaceAfter(place);
            var payload = PayloadAt(place);
            payload.CopyTo(owned.AsSpan(used));
            used += payload.Length;
            ends[i] = used;
        }

        _ends = ends;
        _owned = owned;
    }

    /// <summary>A detached run of one payload.</summary>
    public void Hold(SessionContext session, ReadOnlySpan<byte> payload)
    {
        Begin(session, slot: 0, payload.Length);
        _owned = _buffers.Rent(payload.Length);
        _ends = [payload.Length];
        payload.CopyTo(_owned);
    }

    /// <summary>A detached run with the same payloads.</summary>
    public DatagramRun Copy()
    {
        var copy = new DatagramRun(_batch, _next, _buffers)
        {
            Session = Session,
            Count = Count,
            Bytes = Bytes,
            _first = _first,
        };
        copy.Detach();
        return copy;
    }

    /// <summary>Empties the run: its payloads were counted as dropped, and it is still in a mailbox.</summary>
    public void Drop()
    {
        Count = 0;
        Bytes = 0;
        IsConsumed = true;
    }

    /// <summary>Gives detached memory back; the run is empty afterwards.</summary>
    public void Release()
    {
        if (_owned is { } owned)
        {
            _owned = null;
            _buffers.Return(owned);
        }
    }

    /// <summary>The place after one, remembering that its payload has been given to the handler.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int HandOut(int place)
    {
        _handed++;
        return PlaceAfter(place);
    }

    /// <summary>
    /// Takes off what the handler had been given when it failed: the payload it failed on, which is lost, and those
    /// before it. If it failed without looking at any, all are lost.
    /// </summary>
    /// <returns>Payloads and bytes taken off, and how many of the payloads are lost.</returns>
    public (int Payloads, int Bytes, int Lost) SkipHanded()
    {
        var lost = _handed == 0 ? Count : 1;
        var payloads = _handed == 0 ? Count : Math.Min(_handed, Count);
        var bytes = 0;
        var place = -1;
        for (var i = 0; i < payloads; i++)
        {
            place = PlaceAfter(place);
            bytes += PayloadAt(place).Length;
        }

        Count -= payloads;
        Bytes -= bytes;
        _handed = 0;
        if (IsDetached)
        {
            _skipped += payloads;
        }
        else if (Count > 0)
        {
            _first = PlaceAfter(place);
        }

        return (payloads, bytes, lost);
    }

    /// <summary>The place of the payload behind one; of the first behind -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PlaceAfter(int place)
    {
        if (_owned is not null)
        {
            return place < 0 ? _skipped : place + 1;
        }

        if (place < 0)
        {
            return _first;
        }

        return _batch.IsLast(place) ? DatagramBatch.PlaceOf(_next[DatagramBatch.SlotOf(place)]) : place + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> PayloadAt(int place) => _owned is null ? _batch.PayloadAt(place) : OwnedAt(place);

    private ReadOnlySpan<byte> OwnedAt(int place)
    {
        var start = place == 0 ? 0 : _ends![place - 1];
        return _owned.AsSpan(start, _ends![place] - start);
    }
}

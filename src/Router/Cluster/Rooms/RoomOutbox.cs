using Router.Loop;

namespace Router.Cluster.Rooms;

/// <summary>What one loop says to other members: a pack for each, which leaves when the pass ends, or sooner if it is
/// long. Loop thread only, but for the figures.</summary>
internal sealed class RoomOutbox(RoomSpan span, IoLoop loop) : IEndOfPass
{
    private readonly List<RoomPeer> _open = [];   // those that this pass has said something to
    private long _published;
    private long _bytes;
    private long _packs;
    private long _behind;
    private bool _isAtEndOfPass;

    public long Published => Volatile.Read(ref _published);

    public long Bytes => Volatile.Read(ref _bytes);

    public long Packs => Volatile.Read(ref _packs);

    public long Behind => Volatile.Read(ref _behind);

    /// <inheritdoc cref="Sessions.IRoomReach.Say"/>
    public int Say(RoomTarget[] targets, ReadOnlySpan<byte> payload)
    {
        var missed = 0;
        foreach (var (peer, port) in targets)
        {
            var pack = peer.PackOn(loop);
            if (peer.OnTheWay + pack.Length + payload.Length > span.Window)
            {
                peer.CountMissed();
                missed++;
                continue;
            }

            if (!pack.IsEmpty && pack.Length + payload.Length > RoomPackBuilder.LengthMax)
            {
                Send(peer, pack);
            }

            if (pack.IsEmpty)
            {
                _open.Add(peer);
            }

            pack.Add(port, payload);
            if (pack.Length >= RoomPackBuilder.FlushBytes)
            {
                Send(peer, pack);
            }
        }

        Volatile.Write(ref _behind, _behind + missed);
        if (_open.Count > 0 && !_isAtEndOfPass)
        {
            _isAtEndOfPass = true;
            loop.AtEndOfPass(this);
        }

        return missed;
    }

    public void OnEndOfPass()
    {
        _isAtEndOfPass = false;
        foreach (var peer in _open)
        {
            if (peer.PackOn(loop) is { IsEmpty: false } pack)
            {
                Send(peer, pack);
            }
        }

        _open.Clear();
    }

    private void Send(RoomPeer peer, RoomPackBuilder pack)
    {
        Volatile.Write(ref _published, _published + pack.Payloads);
        Volatile.Write(ref _bytes, _bytes + pack.Length);
        Volatile.Write(ref _packs, _packs + 1);
        peer.Send(pack, span.Rooms);
    }
}

using Router.Loop;

namespace Router.Cluster.Packs;

/// <summary>What one loop says to other members: a pack for each, which leaves when the pass ends, or sooner if it is
/// long. Loop thread only, but for the figures.</summary>
/// <param name="loop">Whose.</param>
/// <param name="window">Bytes that may be on the way to each member.</param>
/// <param name="self">Who is told what came of the packs.</param>
internal sealed class PackOutbox(IoLoop loop, int window, Func<IActorRef> self) : IEndOfPass
{
    private readonly List<PackPeer> _open = [];   // those that this pass has said something to
    private long _payloads;
    private long _bytes;
    private long _packs;
    private long _behind;
    private bool _isAtEndOfPass;

    /// <summary>Sent so far.</summary>
    public long Payloads => Volatile.Read(ref _payloads);

    public long Bytes => Volatile.Read(ref _bytes);

    public long Packs => Volatile.Read(ref _packs);

    /// <summary>Payloads that were not sent, since the window of their member was full.</summary>
    public long Behind => Volatile.Read(ref _behind);

    /// <summary>Adds a payload to what this pass sends to a member.</summary>
    /// <returns>False if it misses it, since more than may be is on the way to it.</returns>
    public bool TryAdd(PackPeer peer, long port, ReadOnlySpan<byte> payload)
    {
        var pack = peer.PackOn(loop);
        if (peer.OnTheWay + pack.Length + payload.Length > window)
        {
            peer.CountMissed();
            Volatile.Write(ref _behind, _behind + 1);
            return false;
        }

        if (!pack.IsEmpty && pack.Length + payload.Length > PackBuilder.LengthMax)
        {
            Send(peer, pack);
        }

        if (pack.IsEmpty)
        {
            _open.Add(peer);
        }

        pack.Add(port, payload);
        if (pack.Length >= PackBuilder.FlushBytes)
        {
            Send(peer, pack);
        }

        if (!_isAtEndOfPass)
        {
            _isAtEndOfPass = true;
            loop.AtEndOfPass(this);
        }

        return true;
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

    private void Send(PackPeer peer, PackBuilder pack)
    {
        Volatile.Write(ref _payloads, _payloads + pack.Payloads);
        Volatile.Write(ref _bytes, _bytes + pack.Length);
        Volatile.Write(ref _packs, _packs + 1);
        peer.Send(pack, self());
    }
}

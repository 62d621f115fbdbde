using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>What other members of the cluster relay to the shard's sessions.</summary>
/// <remarks>It goes the way of what is received, through the same slots and runs: so several datagrams of a session are
/// one turn and one call of its upstream's socket. What the pass has lent before is sent and taken back first.
/// </remarks>
internal sealed partial class UdpShard : IRelayShard
{
    /// <summary>Addresses of this machine that peers' sessions are looked for under.</summary>
    private const int LocalsMax = 16;

    private readonly List<LocalAddr> _locals = [];
    private bool _isRelaying;

    public void NoteLocal(in LocalAddr local)
    {
        if (_locals.Count < LocalsMax && !_locals.Contains(local))
        {
            _locals.Add(local);
        }
    }

    public SessionContext? Find(in SocketAddr peer, in LocalAddr local)
    {
        var found = Table.Find(Table.HashOf(peer, local), peer, local);
        for (var i = 0; found is null && i < _locals.Count; i++)
        {
            var other = _locals[i];
            found = Table.Find(Table.HashOf(peer, other), peer, other);
        }

        return found;
    }

    public unsafe void AddRelayed(SessionContext session, ReadOnlySpan<byte> payload)
    {
        if (!_isRelaying)
        {
            _isRelaying = true;
            FlushAtEndOfPass();
            TakeBack();
        }
        else if (Batch.Count == Batch.Capacity)
        {
            TellLent();
            TakeBack();
        }

        var slot = Batch.Count++;
        payload.CopyTo(new Span<byte>(Batch.Payload(slot), DatagramBatch.SlotBytes));
        Batch.Length(slot) = payload.Length;
        Batch.Segment(slot) = 0;
        Append(session, slot, payload.Length, count: 1);
    }

    public void EndRelayed()
    {
        if (_isRelaying)
        {
            _isRelaying = false;
            TellLent();
            TakeBack();
        }
    }

    /// <summary>Has the slots free: what was queued from them is sent, and what a session could not take is copied.
    /// </summary>
    private void TakeBack()
    {
        FlushQueue();
        TakeBackRuns();
        Batch.Count = 0;
        Batch.Generation++;
    }
}

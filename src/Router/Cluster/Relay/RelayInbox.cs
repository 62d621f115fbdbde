using Router.Cluster.Packs;
using Router.Loop;

namespace Router.Cluster.Relay;

/// <summary>A pack for loops: its runs in their order, a note by itself in the place of its payload.</summary>
internal sealed record RelayArrival(RelayPeer From, byte[] Bytes, IReadOnlyList<(PackRun Run, RelayNote? Note)> Parts)
{
    /// <summary>Datagrams and answers for sessions of a loop.</summary>
    public int PayloadsFor(IoLoop loop)
    {
        var payloads = 0;
        foreach (var (run, note) in Parts)
        {
            payloads += note is null && RelayNotes.LoopOf(run.Port) == loop.Index ? run.Payloads : 0;
        }

        return payloads;
    }
}

/// <summary>What other members have relayed and one loop has not passed on yet.</summary>
internal sealed class RelayInbox(RelayLoop relay, IoLoop loop, int window) : PackInbox<RelayArrival>(loop, window)
{
    protected override int BytesOf(RelayArrival arrival) => arrival.Bytes.Length;

    protected override void PassOn(RelayArrival arrival) => relay.OnArrival(arrival);
}

using Router.Cluster.Packs;
using Router.Loop;
using Router.Sessions;

namespace Router.Cluster.Rooms;

/// <summary>A pack for loops, with the rooms that its runs are for.</summary>
internal sealed record RoomArrival(byte[] Bytes, IReadOnlyList<(IRoomHearer Room, PackRun Run)> Runs)
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

/// <summary>What other members have said in rooms and one loop has not passed on yet.</summary>
internal sealed class RoomInbox(IoLoop loop, int window) : PackInbox<RoomArrival>(loop, window)
{
    protected override int BytesOf(RoomArrival arrival) => arrival.Bytes.Length;

    protected override void PassOn(RoomArrival arrival)
    {
        foreach (var (room, run) in arrival.Runs)
        {
            if (!room.IsHeardOn(Loop))
            {
                continue;
            }

            ReadOnlySpan<byte> bytes = arrival.Bytes.AsSpan(run.Start, run.Length);
            while (PackRun.TryTake(ref bytes, out var payload))
            {
                room.Hear(Loop, payload);
            }
        }
    }
}

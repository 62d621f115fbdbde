using Router.Loop;

namespace Router.Cluster.Packs;

/// <summary>What one loop says to other members: a pack for each, which leaves when the pass ends, or sooner if it is
/// long, or later: see <see cref="PackLane"/>. Loop thread only, but for the figures.</summary>
/// <param name="loop">Whose.</param>
/// <param name="window">Bytes that may be on the way to each member, and wait for it here.</param>
/// <param name="self">Who is told what came of the packs.</param>
internal sealed class PackOutbox(IoLoop loop, int window, Func<IActorRef> self) : IRunnable, IEndOfPass
{
    private readonly List<PackLane> _open = [];   // those that have something to say
    private long _payloads;
    private long _bytes;
    private long _packs;
    private long _behind;
    private bool _isAtEndOfPass;

    public IoLoop Loop => loop;

    /// <summary>Sent so far.</summary>
    public long Payloads => Volatile.Read(ref _payloads);

    public long Bytes => Volatile.Read(ref _bytes);

    public long Packs => Volatile.Read(ref _packs);

    /// <summary>Payloads that were not sent, since the window of their member was full.</summary>
    public long Behind => Volatile.Read(ref _behind);

    /// <summary>Adds a payload to what is sent to a member.</summary>
    /// <param name="peer">The member.</param>
    /// <param name="port">What it is for there; 0 for what members say to each other, which is not counted if the
    /// member misses it.</param>
    /// <param name="payload">Copied.</param>
    /// <returns>False if it misses it, since more than may be is on the way to it.</returns>
    public bool TryAdd(PackPeer peer, long port, ReadOnlySpan<byte> payload)
    {
        var lane = peer.LaneOf(this);
        var pack = lane.Pack;
        if (peer.OnTheWay + pack.Length + payload.Length > window)
        {
            if (port != 0)
            {
                peer.CountMissed();
                Volatile.Write(ref _behind, _behind + 1);
            }

            return false;
        }

        if (!pack.IsEmpty && pack.Length + payload.Length > PackBuilder.LengthMax)
        {
            Send(lane);
        }

        pack.Add(port, payload);
        if (pack.Length >= PackBuilder.FlushBytes)
        {
            Send(lane);
        }
        else if (!lane.IsOpen)
        {
            lane.IsOpen = true;
            _open.Add(lane);
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
        SendOpen();
    }

    /// <summary>What was held may leave. The loop's thread.</summary>
    public void Run() => SendOpen();

    public void Execute() => Run();

    private void SendOpen()
    {
        var held = 0;
        for (var i = 0; i < _open.Count; i++)
        {
            var lane = _open[i];
            if (lane.Pack.IsEmpty || TrySend(lane))
            {
                lane.IsOpen = false;
            }
            else
            {
                _open[held++] = lane;
            }
        }

        _open.RemoveRange(held, _open.Count - held);
    }

    private bool TrySend(PackLane lane)
    {
        var (payloads, bytes) = (lane.Pack.Payloads, lane.Pack.Length);
        if (!lane.TrySend(self()))
        {
            return false;
        }

        Count(payloads, bytes);
        return true;
    }

    private void Send(PackLane lane)
    {
        Count(lane.Pack.Payloads, lane.Pack.Length);
        lane.Send(self());
    }

    private void Count(int payloads, int bytes)
    {
        Volatile.Write(ref _payloads, _payloads + payloads);
        Volatile.Write(ref _bytes, _bytes + bytes);
        Volatile.Write(ref _packs, _packs + 1);
    }
}

using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>A shard whose sessions share one datagram socket: what that receives into, and what they send from.
/// </summary>
/// <remarks>Loop thread only.</remarks>
internal abstract class DatagramShard : Shard, IEndOfPass
{
    private bool _atEndOfPass;

    /// <param name="setup">What it is made from.</param>
    /// <param name="batchSize">Datagrams of one receive call.</param>
    /// <param name="queueSize">Datagrams that wait for the end of a pass; beyond, they are sent at once.</param>
    protected DatagramShard(ShardSetup setup, int batchSize, int queueSize)
        : base(setup)
    {
        Batch = new DatagramBatch(batchSize);
        Queue = new DatagramQueue(queueSize);
    }

    /// <summary>The receive slots.</summary>
    public DatagramBatch Batch { get; }

    /// <summary>The sessions' replies until the end of the pass.</summary>
    public DatagramQueue Queue { get; }

    /// <summary>A session's own socket has a datagram of somebody else, or one that came too late for it.</summary>
    public abstract void OnStray(in SocketAddr from, in LocalAddr local, ReadOnlySpan<byte> payload);

    /// <summary>Has the queue sent at the end of this pass.</summary>
    public void FlushAtEndOfPass()
    {
        if (!_atEndOfPass)
        {
            _atEndOfPass = true;
            Loop.AtEndOfPass(this);
        }
    }

    /// <summary>Sends the queue now: it is full.</summary>
    public abstract void FlushQueue();

    public void OnEndOfPass()
    {
        _atEndOfPass = false;
        EndPass();
    }

    protected abstract void EndPass();
}

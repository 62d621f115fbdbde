using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Cluster.Relay;

/// <summary>A session of this member whose peer's datagrams come to another one. It carries the session's answers while
/// that is so: they go to the member that the peer's last datagram came by, and from the listener's socket again once
/// the peer sends there.</summary>
/// <remarks>Loop thread only. The way of a datagram that comes directly is not touched by it: that one has come is seen
/// from the session's own count.</remarks>
internal sealed class RelayedSession(RelayLoop loop, SessionContext session, IRelayShard shard) : ISessionCarrier
{
    private RelayedWay? _current;
    private long _received;   // payloads of the session when a member relayed the last one

    IoSocket? ISessionCarrier.Socket => null;

    public int UnsentBytes => 0;

    public SessionContext Session => session;

    /// <summary>One for each member that relays.</summary>
    public List<RelayedWay> Ways { get; } = [];

    /// <summary>A datagram has come by a way, and is given to the session at the end of what has come with it.
    /// </summary>
    public void Take(RelayedWay way, ReadOnlySpan<byte> payload)
    {
        shard.AddRelayed(session, payload);
        if (way.IsDirect)
        {
            LeaveAll();
            return;
        }

        _current = way;
        _received = session.PayloadsReceived + (session.Run?.Count ?? 0);
        session.Carrier = this;
    }

    /// <summary>Nothing comes by a way any more.</summary>
    public void Leave(RelayedWay way)
    {
        Ways.Remove(way);
        if (_current == way)
        {
            LeaveAll();
        }
    }

    public bool Carries
    {
        get
        {
            if (_current is { Peer.IsGone: false } && session.PayloadsReceived == _received)
            {
                return true;
            }

            LeaveAll();
            return false;
        }
    }

    public bool Send(ReadOnlySpan<byte> payload)
    {
        if (session.Shard.Fence is { IsOpen: false })
        {
            session.CountDrop(DropReason.Isolated);
        }
        else if (loop.Return(_current!, payload))
        {
            session.CountSent(1, payload.Length);
            session.Traced?.Sent(payload);
        }
        else
        {
            session.CountDrop(DropReason.RelayBehind);
        }

        return true;
    }

    public bool Keep(ReadOnlySpan<byte> payload) => Send(payload);

    public void OnReady(IoReadiness ready)
    {
    }

    public void Release(CloseReason reason)
    {
    }

    private void LeaveAll()
    {
        _current = null;
        if (session.Carrier == this)
        {
            session.Carrier = null;
        }
    }
}

/// <summary>By which a member's datagrams come to a session of this one.</summary>
/// <param name="session">The session.</param>
/// <param name="peer">The member.</param>
/// <param name="port">The session's number here.</param>
/// <param name="isDirect">Answers do not go back to the member.</param>
internal sealed class RelayedWay(RelayedSession session, RelayPeer peer, long port, bool isDirect)
{
    public RelayedSession Session => session;

    public RelayPeer Peer => peer;

    public long Port => port;

    public bool IsDirect => isDirect;

    /// <summary>Its number there.</summary>
    public long Remote { get; set; }
}

using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A client's connection and a socket on the other side: each is passed what the other says. The other side is
/// called the upstream here; of an exec route it is a child's channel. Loop thread only.</summary>
internal abstract class ConnectionPair(SessionContext session)
{
    /// <summary>What the upstream has sent so far: bytes of a stream, or messages.</summary>
    public long FromUpstream { get; protected set; }

    /// <summary>Whether something has been passed to the upstream since it last sent anything.</summary>
    public bool PassedToUpstream { get; protected set; }

    /// <summary>Whether the upstream is not read at present: the client does not take what it has said.</summary>
    public abstract bool HoldsUpstream { get; }

    /// <summary>Whether the client is not read at present: the upstream does not take what it has said.</summary>
    public abstract bool HoldsClient { get; }

    public abstract bool ClientHasEnded { get; }

    /// <summary>The upstream has ended its side; all it said has been passed on.</summary>
    public abstract bool UpstreamHasEnded { get; }

    protected SessionContext Session => session;

    /// <summary>One of the two sockets is ready: moves what can be moved, and closes the session when both sides have
    /// ended or one has broken.</summary>
    public abstract void OnReady(IoSocket socket, IoReadiness ready);

    /// <summary>Closes the upstream's side and gives back what is kept; a stream is reset where the session did not end
    /// in order, or something is unsent.</summary>
    public abstract void CloseUpstream(CloseReason reason);
}

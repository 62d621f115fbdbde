namespace Router.Diagnostics;

/// <summary>Why a session ended. The access record has it in lower case: <c>upstream-failed</c>.</summary>
public enum CloseReason : byte
{
    /// <summary>Not closed yet.</summary>
    None = 0,

    /// <summary>Nothing came or went for the idle timeout.</summary>
    Idle,

    /// <summary>The max lifetime passed.</summary>
    Lifetime,

    /// <summary>The peer ended its stream and everything was answered.</summary>
    Peer,

    /// <summary>The peer reset its connection, or it broke.</summary>
    Reset,

    /// <summary>The handler, or the route, closed it as done.</summary>
    Done,

    /// <summary>The upstream ended its stream; a child process ended with status 0.</summary>
    Upstream,

    /// <summary>No upstream could be reached, or it refused or reset; no child process could be started; the route's
    /// actor is gone or does not answer.</summary>
    UpstreamFailed,

    /// <summary>The handler failed beyond its restart budget, or failed on a stream that may not restart.</summary>
    Failed,

    /// <summary>The router stopped and the drain timeout passed, or nothing was left to wait for.</summary>
    Shutdown,

    /// <summary>The peer has not proved in time that it receives what it is sent.</summary>
    Unvalidated,

    /// <summary>The child process ended with another status than 0, or by a signal.</summary>
    ChildFailed,

    /// <summary>The route does not take the session: there is no place, or it did not say where to.</summary>
    Refused,

    /// <summary>The peer does not read what it is sent.</summary>
    Slow,

    /// <summary>A reload took its listener away, and it had nothing under way or the drain timeout passed.</summary>
    ListenerRemoved,

    /// <summary>Its upstream is one no more, and the route says that this ends its sessions.</summary>
    UpstreamRemoved,

    /// <summary>Nothing came from the peer for the peer idle timeout.</summary>
    PeerIdle,

    /// <summary>A connection was to be sent something while its member of the cluster had not heard of a majority of
    /// the members.</summary>
    Isolated,

    /// <summary>Another session speaks for its peer's identity: the peer came from elsewhere, or to another member.
    /// </summary>
    Superseded,

    /// <summary>The member drains, and the identity's next session will be at another one.</summary>
    HandedOff,

    /// <summary>The peer names no identity, or does not prove it, in time or at all.</summary>
    Unidentified,

    /// <summary>The session could not be attached to its peer's identity in time.</summary>
    Unattached,

    /// <summary>Somebody ended it through the admin endpoint.</summary>
    Admin,

    /// <summary>Its datagrams were relayed to another member of the cluster, where their session has ended.</summary>
    RelayEnded,
}

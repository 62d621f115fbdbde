using System.Net;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A session of an actor route has begun: told before anything else of it, by the session's own reference as
/// all that follows.</summary>
/// <param name="Session">Of the session, as its records have it.</param>
/// <param name="Listener">Where it came in.</param>
/// <param name="Route">The route's name.</param>
/// <param name="Transport">What carries it.</param>
/// <param name="Peer">Who it is, as records have it: <see cref="SessionContext.PeerText"/>.</param>
/// <param name="PeerEndPoint">The same as an endpoint; of a unix socket's peer 255.255.255.255:0.</param>
public sealed record SessionOpened(
    SessionId Session,
    string Listener,
    string Route,
    SessionTransport Transport,
    string Peer,
    IPEndPoint PeerEndPoint);

/// <summary>A payload of the peer: a datagram, or the next bytes of a stream. Each is to be answered: by
/// <see cref="Reply"/>, or <see cref="Done"/> where there is nothing to say.</summary>
/// <param name="Session">Whose.</param>
/// <param name="Number">Counts the session's payloads from 1.</param>
/// <param name="Payload">A copy: the receiver's to keep.</param>
public sealed record SessionReceived(SessionId Session, long Number, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Bytes for the peer that answer this payload, and all before it.</summary>
    public SessionReply Reply(ReadOnlyMemory<byte> payload) => new(payload, Number);

    /// <summary>Says that this payload, and all before it, are dealt with.</summary>
    public SessionDone Done() => new(Number);
}

/// <summary>The peer of a connection has ended its side: nothing more comes. The session closes once all its payloads
/// are answered; who has more to say leaves one unanswered until then.</summary>
public sealed record SessionPeerFinished(SessionId Session);

/// <summary>A session is over: told last. Nothing can be sent any more.</summary>
public sealed record SessionClosed(SessionId Session, CloseReason Reason);

/// <summary>Told to a session: bytes for its peer, one datagram or the next of the stream.</summary>
/// <param name="Payload">Not to be changed afterwards: it may wait until a stream takes it.</param>
/// <param name="Answers">The number of the payload that this answers, with all before it; 0 for none.</param>
public sealed record SessionReply(ReadOnlyMemory<byte> Payload, long Answers = 0);

/// <summary>Told to a session: its payloads up to a number are dealt with.</summary>
public sealed record SessionDone(long Answers);

/// <summary>Told to a session: close, once what was replied has been sent.</summary>
public sealed record SessionClose
{
    /// <summary>The message.</summary>
    public static SessionClose Instance { get; } = new();
}

using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// What a session does with its payloads. One instance per session, one call at a time, on the session's dispatcher.
/// </summary>
/// <remarks>
/// A call that throws restarts the session: same id, endpoint and queue, a fresh handler. Of datagrams only the one it
/// threw on is gone: those before it in the batch are handled, those behind it come again.
/// On the loop (the default) a call must not block: every session of the loop waits meanwhile. What blocks or computes
/// for long belongs on the pool (<c>session.dispatcher = pool</c>).
/// </remarks>
public abstract class SessionHandler
{
    /// <summary>
    /// Whether a stream session may go on with a fresh handler after a failure. The bytes the failed one was reading
    /// are gone.
    /// </summary>
    public virtual bool IsRestartSafe => false;

    /// <summary>
    /// Called first, before any payload; again on a fresh handler after a restart
    /// (<see cref="SessionContext.Restarts"/> tells).
    /// </summary>
    public virtual void OnOpened(SessionContext session)
    {
    }

    /// <summary>Called behind <see cref="OnOpened"/> and before any payload, on a listener with <c>identity</c>: the
    /// peer's identity has a checkpoint, from a session before this one at this or another member, or from the handler
    /// that this one replaces.</summary>
    /// <param name="session">This session, which is attached to its identity.</param>
    /// <param name="checkpoint">As it was given to <see cref="SessionIdentities.Checkpoint"/>; valid until the call
    /// returns.</param>
    public virtual void OnResumed(SessionContext session, ReadOnlySpan<byte> checkpoint)
    {
    }

    /// <summary>Called before anything else, on a listener with <c>proof = handler</c>: a payload says who the peer is,
    /// and the handler says whether that is so. Only if it is does the session go on, with this handler, and any other
    /// session of the identity end.</summary>
    /// <param name="session">The session; nothing can be sent by it yet, as a peer that proves nothing is not
    /// answered.</param>
    /// <param name="identity">Who the peer says it is.</param>
    /// <param name="first">The first payload, or the beginning of the stream; valid until the call returns. It comes to
    /// <see cref="OnReceived"/> too, once the session is attached.</param>
    /// <returns>Whether the peer has proved it. Unless overridden nobody has; then the session ends, and that is a
    /// counted drop.</returns>
    public virtual bool OnProof(SessionContext session, string identity, ReadOnlySpan<byte> first) => false;

    /// <summary>Payloads have come. They are the router's: valid until the call returns.</summary>
    public virtual void OnReceived(SessionContext session, PayloadBatch batch)
    {
    }

    /// <summary>
    /// Connections: the peer has ended its side. The session closes once everything is sent, unless overridden.
    /// </summary>
    public virtual void OnPeerFinished(SessionContext session) => session.Close(CloseReason.Peer);

    /// <summary>
    /// Streams: all that was queued has been sent, after <see cref="SessionContext.Reply"/> had refused or queued
    /// something.
    /// </summary>
    public virtual void OnDrained(SessionContext session)
    {
    }

    /// <summary>Somebody told the session's actor a message of their own.</summary>
    public virtual void OnMessage(SessionContext session, object message)
    {
    }

    /// <summary>The time set by <see cref="SessionContext.SetTimer"/> has come.</summary>
    public virtual void OnTimer(SessionContext session)
    {
    }

    /// <summary>
    /// Called last, once, on the handler that is in place when the session ends. Nothing can be sent any more.
    /// </summary>
    public virtual void OnClosed(SessionContext session, CloseReason reason)
    {
    }

    /// <summary>
    /// The session's listener drains, because the router stops or a reload has taken its address away: no peer is new
    /// any more, and sessions are to end. Called about every 50 ms until the session has ended or
    /// <c>drain-timeout</c> has passed. The session still receives and sends, so that a handler can say farewell here.
    /// </summary>
    /// <returns>
    /// Whether the session may end now. Unless overridden this is so when nothing has come or gone for two seconds, and
    /// nothing waits to be handled or sent (<see cref="SessionContext.SilentFor"/>). A handler that takes longer for an
    /// answer says false until it has given it; one that owes nothing says true at once.
    /// </returns>
    public virtual bool OnDraining(SessionContext session) => MayEndNow(session);

    /// <summary>A socket that the route watches, or the peer's stream if <see cref="OwnsStream"/>, is ready.</summary>
    internal virtual void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
    }

    /// <summary>Whether the peer's silence is not its own: its connection is not read at present, or it need not say
    /// anything.</summary>
    internal virtual bool KeepsPeerSilent(SessionContext session) => session.Carrier is { IsPeerHeld: true };

    /// <summary>The route reads and writes the peer's stream itself.</summary>
    internal virtual bool OwnsStream => false;

    /// <summary>Of a proxy: the session's own end of its last socket towards an upstream, closed or not, so that the
    /// upstream's log can be matched; empty without one.</summary>
    internal virtual SocketAddr UpstreamLocal => default;

    /// <summary>Of a proxy of connections: how long it took from the session's beginning until an upstream had
    /// accepted; -1 where none has.</summary>
    internal virtual int ConnectMs => -1;

    /// <summary>What the route goes by has changed, in a way that live sessions have to look at.</summary>
    internal virtual void OnRouteChanged(SessionContext session)
    {
    }

    /// <summary>Whether nothing is under way between the peer and anybody, so that a draining listener need not wait.
    /// Asked on the loop and not in a turn of the session, which must not change by it.</summary>
    internal virtual bool MayEndNow(SessionContext session) => session.IsQuiet();

    /// <summary>
    /// The handler is about to be replaced after a failure: gives back sockets and counts it holds. Must not throw.
    /// </summary>
    internal virtual void OnReplaced(SessionContext session)
    {
    }
}

/// <summary>What is done with a listener's sessions: a recipe for handlers. Immutable; shared by all loops.</summary>
internal abstract class Route
{
    protected Route(string name) => Name = name;

    public string Name { get; }

    /// <summary>Answers whatever comes without knowing the peer: never a responder port, and within the amplification
    /// budget.</summary>
    internal virtual bool AnswersByItself => false;

    /// <summary>Whether its sessions go by the other route's settings: its own, or those of one that it is made
    /// over.</summary>
    internal virtual bool Involves(Route route) => ReferenceEquals(route, this);

    /// <summary>Whether a new datagram peer may have a session, by its first datagram; if not, why. Any loop.</summary>
    internal virtual DropReason? Refuse(in SocketAddr peer, ReadOnlySpan<byte> first) => null;

    /// <summary>Neither the route nor what it makes keeps a session's context beyond its end: the next peer's session
    /// may be the same object.</summary>
    internal virtual bool LetsGoOf(SessionContext session) => false;

    /// <summary>Its handlers put the peer's stream on the loop themselves, once they can do something with
    /// it.</summary>
    internal virtual bool WatchesStream => false;

    /// <summary>
    /// A handler for a new or restarted session: fresh, or a shared one if it keeps no state. On the session's
    /// dispatcher.
    /// </summary>
    internal abstract SessionHandler CreateHandler(SessionContext session);

    /// <summary>A session ends whose last handler could not be opened: what the route keeps for it is given back. Any
    /// loop.</summary>
    internal virtual void OnAbandoned(SessionContext session, CloseReason reason)
    {
    }
}

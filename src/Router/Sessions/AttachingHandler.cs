using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>Stands in for a session's handler until the session is attached to its identity: finds out who that is,
/// asks, and has payloads wait.</summary>
/// <param name="identity">The session's.</param>
/// <param name="inner">The handler that said who the peer is; null where it is made once the session is
/// attached.</param>
internal sealed class AttachingHandler(SessionIdentity identity, SessionHandler? inner) : SessionHandler
{
    private List<byte>? _head;   // of a stream, until it names somebody
    private SessionHandler? _proved;   // has said that the peer is who it says

    public override void OnOpened(SessionContext session)
    {
        if (identity.Settings.Source == IdentitySource.Endpoint)
        {
            Attach(session, IdentitySettings.OfEndpoint(session.PeerAddr));
        }
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (identity.Name is null && Identify(session, payload) is { } refusal)
            {
                session.CountDrop(refusal);
                session.Close(CloseReason.Unidentified);
                return;
            }

            identity.Wait(payload);
        }
    }

    public override void OnPeerFinished(SessionContext session)
    {
        if (identity.Name is null || inner is null)
        {
            session.Close(CloseReason.Peer);   // it asks for nothing any more, and nobody has answered it
        }
        else
        {
            inner.OnPeerFinished(session);
        }
    }

    public override void OnMessage(SessionContext session, object message) => inner?.OnMessage(session, message);

    public override void OnTimer(SessionContext session) => inner?.OnTimer(session);

    public override void OnClosed(SessionContext session, CloseReason reason) => inner?.OnClosed(session, reason);

    /// <summary>Nothing is owed to a peer that has been told nothing.</summary>
    public override bool OnDraining(SessionContext session) => inner?.OnDraining(session) ?? true;

    /// <summary>The route's handler goes on from here.</summary>
    public void OnAttached(SessionContext session)
    {
        if (session.IsClosed)
        {
            return;
        }

        if (inner is not null)
        {
            session.Handler = inner;
        }
        else
        {
            session.Handler = _proved ?? session.Route.CreateHandler(session);
            session.Handler.OnOpened(session);
        }

        session.AllowReading();
        identity.GoOn();
    }

    /// <returns>Why the peer is refused; null also while more of its stream is needed.</returns>
    private DropReason? Identify(SessionContext session, ReadOnlySpan<byte> payload)
    {
        if (session.KeepsMessages)
        {
            return Prove(session, payload);
        }

        _head ??= [];
        _head.AddRange(payload);
        var head = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_head);
        return identity.Settings.NeedsMore(head) ? null : Prove(session, head);
    }

    private DropReason? Prove(SessionContext session, ReadOnlySpan<byte> first)
    {
        if (identity.Settings.Read(first, out var name) is { } refusal)
        {
            return refusal;
        }

        if (identity.Settings.Proof.Kind == IdentityProofKind.Handler)
        {
            var handler = session.Route.CreateHandler(session);
            if (!handler.OnProof(session, name, first))
            {
                return DropReason.WrongProof;
            }

            _proved = handler;
        }

        Attach(session, name);
        return null;
    }

    private void Attach(SessionContext session, string name)
    {
        _head = null;
        session.StopReading();   // the peer of a stream waits
        identity.Attach(name);
    }
}

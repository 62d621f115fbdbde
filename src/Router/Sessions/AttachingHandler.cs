using System.Runtime.InteropServices;
using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>Stands in for a session's handler until the session is attached to its identity: finds out who that is, has
/// it proved, asks, and has payloads wait.</summary>
/// <param name="identity">The session's.</param>
/// <param name="inner">The handler that said who the peer is; null where it is made once the session is
/// attached.</param>
internal sealed class AttachingHandler(SessionIdentity identity, SessionHandler? inner) : SessionHandler
{
    private List<byte>? _head;   // of a stream, until it names somebody; then what may be its answer
    private SessionHandler? _proved;   // has said that the peer is who it says
    private IdentityChallenge? _challenge;

    /// <summary>Why a peer is refused that is late.</summary>
    public DropReason LateReason => _challenge is null ? DropReason.NoIdentity : DropReason.WrongProof;

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
            if (identity.Name is not null)
            {
                identity.Wait(payload);
            }
            else if ((session.KeepsMessages ? TakeMessage(session, payload) : TakeBytes(session, payload))
                is { } refusal)
            {
                session.CountDrop(refusal);
                session.Close(CloseReason.Unidentified);
                return;
            }
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

    /// <returns>Why the peer is refused; null if it is not, or not yet.</returns>
    private DropReason? TakeMessage(SessionContext session, ReadOnlySpan<byte> payload)
    {
        if (_challenge is null)
        {
            var refusal = Prove(session, payload);
            if (refusal is null)
            {
                identity.Wait(payload);
            }

            return refusal;
        }

        var isFirst = identity.IsFirstWaiting(payload);
        if (!isFirst && IdentityChallenge.IsAnswer(payload))
        {
            return Judge(session, payload);
        }

        // One that names the peer again has not heard the challenge, or not yet.
        if (identity.Settings.Read(payload, out var name) is null && name == _challenge.Identity)
        {
            Challenge();
        }

        if (!isFirst)
        {
            identity.Wait(payload);
        }

        return null;
    }

    private DropReason? TakeBytes(SessionContext session, ReadOnlySpan<byte> bytes)
    {
        _head ??= [];
        _head.AddRange(bytes);
        if (_challenge is not null)
        {
            return TakeAnswer(session);
        }

        var head = CollectionsMarshal.AsSpan(_head);
        var refusal = identity.Settings.NeedsMore(head) ? null : Prove(session, head);
        if (refusal is not null || _challenge is null)
        {
            identity.Wait(bytes);
            return refusal;
        }

        // What is behind the name is the answer, and not the handler's.
        var length = identity.Settings.HeadLength(head);
        identity.Wait(bytes[..(bytes.Length - (head.Length - length))]);
        _head.RemoveRange(0, length);
        return TakeAnswer(session);
    }

    /// <summary>A stream's next line is its answer, and what follows that is for the handler.</summary>
    private DropReason? TakeAnswer(SessionContext session)
    {
        var bytes = CollectionsMarshal.AsSpan(_head);
        var length = bytes.IndexOf((byte)'\n') + 1;
        if (length == 0)
        {
            return bytes.Length < IdentityChallenge.AnswerBytesMax ? null : DropReason.WrongProof;
        }

        var rest = bytes[length..];
        var refusal = Judge(session, bytes[..length]);
        if (refusal is null && rest.Length > 0)
        {
            identity.Wait(rest);
        }

        return refusal;
    }

    private DropReason? Prove(SessionContext session, ReadOnlySpan<byte> first)
    {
        if (identity.Settings.Read(first, out var name) is { } refusal)
        {
            return refusal;
        }

        var proof = identity.Settings.Proof;
        if (proof.Kind == IdentityProofKind.Challenge)
        {
            _challenge = new IdentityChallenge(proof, name);
            identity.Expect(proof.TimeoutMs);
            Challenge();
            return null;
        }

        if (proof.Kind == IdentityProofKind.Handler)
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

    private void Challenge()
    {
        if (_challenge!.TrySend())
        {
            identity.Challenge(_challenge.Line);
        }
    }

    private DropReason? Judge(SessionContext session, ReadOnlySpan<byte> answer)
    {
        if (!_challenge!.IsRight(answer))
        {
            return DropReason.WrongProof;
        }

        session.MarkPeerValidated();   // it has received what it was sent
        Attach(session, _challenge.Identity);
        return null;
    }

    private void Attach(SessionContext session, string name)
    {
        (_head, _challenge) = (null, null);
        session.StopReading();   // the peer of a stream waits
        identity.Attach(name);
    }
}

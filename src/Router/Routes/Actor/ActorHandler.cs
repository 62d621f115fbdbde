using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One session of an actor route: tells the actor its payloads, and the peer what the actor replies.</summary>
/// <remarks>
/// Payloads that were told and not answered have a limit: beyond it datagrams are dropped and a connection is not read.
/// Until the actor is known, messages go by an actor selection of its path; both ways lead into one mailbox, in order.
/// </remarks>
internal sealed class ActorHandler(ActorRoute route) : SessionHandler
{
    private readonly Queue<int> _unanswered = [];   // bytes of each payload
    private Queue<ReadOnlyMemory<byte>>? _waiting;   // replies that the connection has no room for
    private ICanTell? _target;
    private IActorRef? _actor;
    private long _told;
    private int _unansweredBytes;
    private int _waitingBytes;
    private bool _isFull;
    private bool _peerFinished;
    private bool _closes;

    private ActorRouteSettings Settings => route.Settings;

    public override void OnOpened(SessionContext session)
    {
        session.AllowReading();   // an earlier handler's limits are not this one's
        if (route.Known is { } known)
        {
            SetActor(session, known);
        }
        else if (route.Find is { } find)
        {
            SetActor(session, find());
        }
        else
        {
            var selection = session.ActorSelection(route.Path!);
            selection.Tell(new Identify(session.Id), session.Self);
            _target = selection;
        }

        Tell(session, new SessionOpened(
            session.Id, session.Listener, session.RouteName, session.Transport, session.PeerText,
            session.PeerEndPoint));
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (_isFull || (_unanswered.Count > 0
                && _unansweredBytes + payload.Length > Settings.MaxUnansweredBytes
                && session.Transport.IsConnectionless()))
            {
                session.CountDrop(DropReason.ActorBusy);   // a connection is not read then
                OnFull(session);
                continue;
            }

            _unanswered.Enqueue(payload.Length);
            _unansweredBytes += payload.Length;
            Tell(session, new SessionReceived(session.Id, ++_told, payload.ToArray()));
            if (_unanswered.Count >= Settings.MaxUnanswered || _unansweredBytes >= Settings.MaxUnansweredBytes)
            {
                OnFull(session);
            }
        }
    }

    public override void OnPeerFinished(SessionContext session)
    {
        _peerFinished = true;
        Tell(session, new SessionPeerFinished(session.Id));
        CloseIfDone(session);
    }

    public override void OnMessage(SessionContext session, object message)
    {
        switch (message)
        {
            case SessionReply reply:
                Send(session, reply.Payload);
                Answer(session, reply.Answers);
                break;
            case SessionDone done:
                Answer(session, done.Answers);
                break;
            case SessionClose:
                _closes = true;
                CloseIfDone(session);
                break;
            case ActorIdentity found when Equals(found.MessageId, session.Id):
                if (_actor is null)
                {
                    SetActor(session, found.Subject);
                }

                break;
            case Terminated gone when Equals(gone.ActorRef, _actor):
                route.Forget(gone.ActorRef);
                session.Close(CloseReason.UpstreamFailed);
                break;
        }
    }

    public override void OnDrained(SessionContext session)
    {
        while (_waiting is { Count: > 0 } waiting)
        {
            if (!session.Reply(waiting.Peek().Span) && HasUnsent(session))
            {
                return;
            }

            _waitingBytes -= waiting.Dequeue().Length;
        }

        CloseIfDone(session);
    }

    /// <summary>The limits have been full for the whole answer timeout.</summary>
    public override void OnTimer(SessionContext session) => session.Close(CloseReason.UpstreamFailed);

    public override void OnClosed(SessionContext session, CloseReason reason) =>
        Tell(session, new SessionClosed(session.Id, reason));

    internal override bool MayEndNow(SessionContext session) =>
        session.HasNothingUnderWay() && _unanswered.Count == 0 && _waiting is not { Count: > 0 };

    private static bool HasUnsent(SessionContext session) =>
        session.Stream is { HasUnsent: true } || session.Packets is { Output.HasUnsent: true };

    private void Tell(SessionContext session, object message) => _target?.Tell(message, session.Self);

    /// <summary>Sets the actor to tell; the session closes where there is none.</summary>
    private void SetActor(SessionContext session, IActorRef? actor)
    {
        if (actor.IsNobody())
        {
            session.Close(CloseReason.UpstreamFailed);
            return;
        }

        _target = _actor = actor;
        route.Remember(actor!);
        session.Watch(actor!);
    }

    private void OnFull(SessionContext session)
    {
        if (_isFull)
        {
            return;
        }

        _isFull = true;
        session.StopReading();
        if (Settings.AnswerTimeout != Timeout.InfiniteTimeSpan)
        {
            session.SetTimer(Settings.AnswerTimeout);
        }
    }

    /// <summary>Takes payloads up to a number as answered. A number that was never told, or is answered already, is
    /// ignored.</summary>
    private void Answer(SessionContext session, long upTo)
    {
        if (upTo > _told || upTo <= _told - _unanswered.Count)
        {
            return;
        }

        while (_unanswered.Count > _told - upTo)
        {
            _unansweredBytes -= _unanswered.Dequeue();
        }

        if (_isFull)
        {
            _isFull = false;
            session.CancelTimer();
            session.AllowReading();
        }

        CloseIfDone(session);
    }

    private void Send(SessionContext session, ReadOnlyMemory<byte> payload)
    {
        var isBehind = _waiting is { Count: > 0 };
        if (!isBehind && (session.Reply(payload.Span) || !HasUnsent(session)))
        {
            return;   // sent; or refused for good, and counted
        }

        if (isBehind && _waitingBytes + payload.Length > Settings.ReplyBuffer)
        {
            session.CloseNow(CloseReason.Slow);   // by a reset: what has arrived is not the whole
            return;
        }

        (_waiting ??= []).Enqueue(payload);
        _waitingBytes += payload.Length;
    }

    /// <summary>Closes if the actor or the peer has ended the session and nothing is left to send.</summary>
    private void CloseIfDone(SessionContext session)
    {
        if (_waiting is { Count: > 0 })
        {
            return;
        }

        if (_closes)
        {
            session.Close();
        }
        else if (_peerFinished && _unanswered.Count == 0)
        {
            session.Close(CloseReason.Peer);
        }
    }
}

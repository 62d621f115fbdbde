using Router.Diagnostics;
using Router.Loop;

namespace Router.Sessions;

/// <summary>Who a session's peer is, and what is kept of it. Outlives restarts of the handler.</summary>
/// <remarks>In the session's turns only, but for the timer, which is its loop's.</remarks>
internal sealed class SessionIdentity(SessionContext session, IdentitySettings settings, IActorRef hub) : LoopTimer
{
    /// <summary>How often a challenge that may not be sent yet is tried again.</summary>
    private const int LookAgainMs = 100;

    private readonly WaitingPayloads _waiting = new();
    private readonly Queue<(byte[] Bytes, int Length, long Revision)> _held = [];
    private byte[] _state = [];
    private int _stateLength;
    private int _heldBytes;
    private long _sentMs = -1;
    private long _sentRevision;   // the turn's
    private long _keptRevision;   // the loop's, once it is attached
    private long _revisionAttached;
    private long _expectedMs = -1;   // when the peer is late; below 0 where it is not waited for
    private byte[]? _unsent;         // a challenge
    private bool _isDue;
    private bool _isChallenging;
    private CloseReason _endsBy;

    public IdentitySettings Settings => settings;

    /// <summary>Null until it is known.</summary>
    public string? Name { get; private set; }

    public bool IsAttached => Epoch > 0;

    /// <summary>Of the attachment; 0 before.</summary>
    public long Epoch { get; private set; }

    /// <summary>Of the newest checkpoint, sent or not; 0 while there is none.</summary>
    public long Revision { get; private set; }

    /// <summary>Which session speaks for the identity now; null unless another does.</summary>
    public string? SupersededBy { get; private set; }

    public ReadOnlySpan<byte> State => _state.AsSpan(0, _stateLength);

    /// <summary>Replies wait for a checkpoint that is not known to be kept.</summary>
    public bool HoldsReplies =>
        settings.Sync && Volatile.Read(ref _keptRevision) < Volatile.Read(ref _sentRevision);

    /// <summary>Whether a reply goes to <see cref="Hold"/> and not out: it waits, or the peer has not proved yet who it
    /// is, and is told nothing.</summary>
    public bool TakesReplies =>
        HoldsReplies || (!IsAttached && !_isChallenging && settings.Proof.Kind != IdentityProofKind.None);

    /// <summary>The session ends unless its peer has said, or shown, who it is in so long. Instead of an earlier time.
    /// </summary>
    public void Expect(int timeoutMs) => session.OnLoop(
        static (session, timeoutMs) =>
        {
            var own = session.Identified!;
            Volatile.Write(ref own._expectedMs, session.Loop.NowMs + timeoutMs);
            session.Loop.Schedule(own, own._expectedMs);
        },
        timeoutMs);

    /// <summary>Sends a challenge to a peer that has proved nothing: within its amplification budget, and once the
    /// member may send for the session.</summary>
    /// <param name="line">Short enough to answer any datagram.</param>
    public void Challenge(byte[] line) => session.OnLoop(
        static (session, line) =>
        {
            session.Identified!._unsent = line;
            session.Identified.SendUnsent();
        },
        line);

    /// <summary>Asks to be attached. Once.</summary>
    public void Attach(string name)
    {
        Name = name;
        if (Volatile.Read(ref _expectedMs) >= 0)
        {
            session.OnLoop(static session =>
            {
                session.Identified!._unsent = null;   // it has been answered already
                session.Loop.Cancel(session.Identified);
            });
        }

        hub.Tell(
            new AttachSession(session.Self, session.Id, name, session.PeerText, settings.AttachTimeoutMs),
            ActorRefs.NoSender);
    }

    /// <summary>The handler says who the peer is: what comes from now on waits until the session is attached.
    /// </summary>
    /// <exception cref="ArgumentException">It cannot be an identity.</exception>
    public void AttachFor(SessionHandler handler, string name)
    {
        if (!IdentitySettings.IsName(name))
        {
            throw new ArgumentException(
                $"an identity is 1 to {IdentitySettings.BytesMax} bytes of UTF-8 without control characters",
                nameof(name));
        }

        session.Handler = new AttachingHandler(this, handler);
        session.StopReading();
        Attach(name);
    }

    /// <summary>The handler gets the checkpoint, then what has waited.</summary>
    public void GoOn()
    {
        if (Revision > 0 && !session.IsClosed)
        {
            session.Handler!.OnResumed(session, State);
        }

        _waiting.GiveTo(session);
    }

    /// <summary>Has a payload wait until the session is attached, within its mailbox's limits.</summary>
    public void Wait(ReadOnlySpan<byte> payload) => _waiting.Add(session, payload);

    /// <summary>Whether a payload is the same as the first that waits.</summary>
    public bool IsFirstWaiting(ReadOnlySpan<byte> payload) => _waiting.IsFirst(payload);

    /// <summary>Replies wait for a checkpoint, so the session ends when they are out.</summary>
    /// <returns>Whether it does; else it may end now.</returns>
    public bool DefersEnd(CloseReason reason)
    {
        if (!HoldsReplies || reason is not (CloseReason.Done or CloseReason.Peer or CloseReason.HandedOff))
        {
            return false;
        }

        _endsBy = reason;
        return true;
    }

    /// <summary>The handler's new checkpoint: sent now if the interval has passed, else when it has.</summary>
    /// <exception cref="ArgumentException">It is too long.</exception>
    public void Checkpoint(ReadOnlySpan<byte> state)
    {
        if (state.Length > IdentitySettings.CheckpointBytesMax)
        {
            throw new ArgumentException(
                $"a checkpoint is at most {IdentitySettings.CheckpointBytesMax} bytes long", nameof(state));
        }

        if (session.IsClosed)
        {
            return;
        }

        if (_state.Length < state.Length)
        {
            _state = new byte[state.Length];
        }

        state.CopyTo(_state);
        _stateLength = state.Length;
        Revision++;
        var waitMs = settings.Sync || _sentMs < 0 ? 0 : _sentMs + settings.CheckpointIntervalMs - session.Loop.NowMs;
        if (waitMs <= 0)
        {
            Send();
        }
        else if (!_isDue)
        {
            _isDue = true;
            session.OnLoop(
                static (session, waitMs) => session.Loop.Schedule(
                    session.Identified!, session.Loop.NowMs + waitMs),
                waitMs);
        }
    }

    /// <summary>Has a reply wait, in the order of replies, until the newest checkpoint is kept.</summary>
    /// <returns>False if there is no room for it, which is a counted drop.</returns>
    public bool Hold(ReadOnlySpan<byte> payload)
    {
        if (!HoldsReplies)
        {
            session.CountDrop(DropReason.Unvalidated);
            return false;
        }

        if (_heldBytes + payload.Length > session.Shard.Settings.MailboxBytes)
        {
            session.CountDrop(DropReason.MailboxFull);
            return false;
        }

        _held.Enqueue((payload.ToArray(), payload.Length, Revision));
        _heldBytes += payload.Length;
        return true;
    }

    /// <summary>In a turn of the session's.</summary>
    public void OnMessage(IdentityMessage message)
    {
        switch (message)
        {
            case IdentityAttached attached when !IsAttached:
                OnAttached(attached);
                break;
            case IdentityEpoch changed:
                Epoch = changed.Epoch;
                break;
            case IdentityUnattached when !IsAttached:
                session.Close(CloseReason.Unattached);
                break;
            case IdentitySuperseded superseded:
                SupersededBy = superseded.By;
                session.CloseNow(CloseReason.Superseded);
                break;
            case CheckpointKept kept:
                session.OnLoop(static (session, kept) => session.Identified!.OnKept(kept), kept);
                break;
            case CheckpointDue when Name is null:
                OnLate();
                break;
            case CheckpointDue:
                _isDue = false;
                if (Revision > _sentRevision && !session.IsClosed)
                {
                    Send();
                }

                break;
            case IdentityTold told:
                session.Handler!.OnMessage(session, told.Message);
                told.Ack?.Tell(IdentityTaken.Instance, ActorRefs.NoSender);
                break;
            default:
                break;   // it came too late
        }
    }

    /// <summary>The session is over, and another of the identity may speak as soon as that is told: what this one has
    /// said goes out before, and not at the end of the pass, which may be a pause of the process away. Loop thread.
    /// </summary>
    public void OnEnded()
    {
        session.Loop.Cancel(this);
        if (Name is not null)
        {
            if (session.Shard is DatagramShard { Queue: { IsDisposed: false, Count: > 0 } } shard)
            {
                shard.FlushQueue();
            }

            var isNew = Revision > _revisionAttached;
            hub.Tell(new EndSession(session.Id, isNew ? Revision : 0, isNew ? State.ToArray() : default),
                ActorRefs.NoSender);
        }
    }

    internal override void OnTimer()
    {
        if (_unsent is not null && session.Loop.NowMs < _expectedMs)
        {
            SendUnsent();
        }
        else
        {
            session.Ref.Tell(CheckpointDue.Instance, ActorRefs.NoSender);
        }
    }

    private void SendUnsent()
    {
        var dueMs = _expectedMs;
        if (session.Shard.Fence is { IsOpen: false })
        {
            dueMs = Math.Min(dueMs, session.Loop.NowMs + LookAgainMs);
        }
        else
        {
            _isChallenging = true;
            session.Answer(_unsent, askedBytes: 0);
            (_isChallenging, _unsent) = (false, null);
        }

        if (!session.IsClosed)
        {
            session.Loop.Schedule(this, dueMs);
        }
    }

    /// <summary>The peer has not said, or not shown, who it is; unless the time has changed since.</summary>
    private void OnLate()
    {
        if (session.Loop.NowMs < Volatile.Read(ref _expectedMs) || session.IsClosed)
        {
            return;
        }

        if (session.Handler is AttachingHandler attaching)
        {
            session.CountDrop(attaching.LateReason);
        }

        session.Close(CloseReason.Unidentified);
    }

    private void OnAttached(IdentityAttached attached)
    {
        Epoch = attached.Epoch;
        _keptRevision = attached.Revision;
        Revision = _sentRevision = _revisionAttached = attached.Revision;
        _state = attached.State.ToArray();
        _stateLength = _state.Length;
        session.Shard.Events.Attached(session, attached.Supersedes);
        ((AttachingHandler)session.Handler!).OnAttached(session);
    }

    private void Send()
    {
        _sentMs = session.Loop.NowMs;
        Volatile.Write(ref _sentRevision, Revision);
        hub.Tell(new SaveCheckpoint(session.Id, Revision, State.ToArray(), settings.Sync), ActorRefs.NoSender);
    }

    /// <summary>Replies that came before the checkpoint go out; those behind one that is lost are dropped: the peer
    /// asks again, and is not told what the next session would not know. Loop thread.</summary>
    private void OnKept(CheckpointKept kept)
    {
        Volatile.Write(ref _keptRevision, Math.Max(_keptRevision, kept.Revision));
        while (_held.TryPeek(out var reply) && reply.Revision <= kept.Revision)
        {
            _held.Dequeue();
            _heldBytes -= reply.Length;
            if (session.IsClosed || !kept.IsKept)
            {
                session.CountDrop(session.IsClosed ? DropReason.SessionClosed : DropReason.NotKept);
            }
            else
            {
                session.SendNow(reply.Bytes.AsSpan(0, reply.Length));
            }
        }

        if (!HoldsReplies && _endsBy != CloseReason.None)
        {
            session.Close(_endsBy);
        }
    }
}

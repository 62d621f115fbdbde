using Router.Cluster.Checkpoints;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>One identity: which session speaks for it, by which epoch, and what is kept. The logic alone, which the
/// simulation runs as well.</summary>
/// <remarks>A session is attached in three steps. The one before is told to end and to give its last checkpoint, unless
/// its member is out of the cluster; then the store gives a new epoch, by which older writes are refused; then the new
/// one is told. The latest that asks wins: one that waits is told that it is over.</remarks>
internal sealed partial class IdentityState(string identity, IIdentityWorld world, IdentityLimits limits)
{
    /// <summary>How often who has not answered is asked again, and its member looked at.</summary>
    internal static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    private HashSet<Place>? _asked;
    private DisplacedOrders? _displaced;
    private Queue<Tell>? _queue;
    private Phase _phase;
    private bool _isResting;   // until it is forgotten
    private string? _released; // whose place the one takes that is attached next
    private bool _isEnded;     // what comes is for the entity that follows
    private Attachment? _owner;
    private Attachment? _pending;
    private Checkpoint _kept = new(identity, 0, 0, default);
    private int _claimsLost;   // since the last that was answered: each may have taken an epoch
    private bool _isSure;      // nobody speaks for the identity but whom this entity knows

    private enum Phase
    {
        /// <summary>Nothing is under way.</summary>
        Idle,

        /// <summary>Other members are asked whether they have a session whose entity was lost.</summary>
        Asking,

        /// <summary>The session before has been told to end.</summary>
        Releasing,

        /// <summary>The store has been asked for an epoch.</summary>
        Claiming,
    }

    public Attachment? Owner => _owner;

    public Checkpoint Newest => _kept;

    public int Queued => _queue?.Count ?? 0;

    public void On(IToIdentity message, IActorRef hub)
    {
        if (_isEnded)
        {
            world.PassOn(message, hub);
            return;
        }

        switch (message)
        {
            case Attach attach:
                OnAttach(attach, hub);
                break;
            case Detach detach:
                OnDetach(detach, hub);
                break;
            case Save save:
                OnSave(save, hub);
                break;
            case Tell tell:
                OnTell(tell);
                break;
            case HasNone none:
                OnHasNone(none.Place);
                break;
            case Undelivered undelivered:
                OnTell(undelivered.What, undelivered.Session);
                break;
            default:
                break;
        }

        if (_phase == Phase.Idle && _owner is null && _pending is null && !_isResting)
        {
            Rest();
        }
    }

    /// <summary>The store has given an epoch, and what it keeps.</summary>
    public void OnClaimed(Checkpoint claimed)
    {
        if (_isEnded)
        {
            return;
        }

        // A session may have given what the store has not heard of, unless others have spoken since.
        var isNewer = _kept.Revision > claimed.Revision && claimed.Epoch <= _kept.Epoch + 1 + _claimsLost;
        var isLate = _pending is { IsLive: true } live && claimed.Epoch > live.Epoch + 1 + _claimsLost;
        _kept = isNewer ? claimed with { Revision = _kept.Revision, State = _kept.State } : claimed;
        _claimsLost = 0;
        _isSure = true;
        _phase = Phase.Idle;
        if (isNewer)
        {
            world.Save(_kept, null);
        }

        if (_owner is not null)
        {
            Release();   // it was claimed for one that speaks already, and another asks now
            return;
        }

        if (_pending is not { } pending)
        {
            Rest();   // it has given up meanwhile
            return;
        }

        if (pending.Epoch >= claimed.Epoch)
        {
            Claim();   // it came while one was claimed for another
            return;
        }

        _pending = null;
        if (isLate)
        {
            world.Send(pending.Hub, new Over(identity, pending.Session, "another session"));
            Rest();
            return;
        }

        _owner = pending with { Epoch = claimed.Epoch };
        if (pending.IsLive)
        {
            world.Send(pending.Hub, new EpochIs(identity, pending.Session, claimed.Epoch, _kept.Revision));
        }
        else
        {
            SendAttached(_owner);
            world.CountAttached(_released is not null);
        }

        _released = null;
        PassQueue(_owner);
    }

    /// <summary>The store is not to be had: whoever asked does so again.</summary>
    public void OnClaimFailed()
    {
        if (_isEnded)
        {
            return;
        }

        _phase = Phase.Idle;
        _pending = null;
        _claimsLost++;
        Rest();
    }

    /// <summary>A write was refused: the identity has a higher epoch elsewhere, so this entity is not the one.
    /// </summary>
    public void OnStale()
    {
        if (_owner is { } owner)
        {
            world.Send(owner.Hub, new Over(identity, owner.Session, "another session"));
        }

        End();
    }

    public void OnWake()
    {
        if (_isEnded)
        {
            return;
        }

        switch (_phase)
        {
            case Phase.Releasing when world.MayDecide && world.IsGone(_owner!.Place):
                _released = _owner.Text;
                _owner = null;
                Ask();
                break;
            case Phase.Releasing:
                Release();
                break;
            case Phase.Asking:
                AskRest();
                break;
            case Phase.Idle when _owner is null && _pending is null:
                world.Forget(_kept.Epoch);
                End();
                break;
            default:
                break;
        }
    }

    private void End()
    {
        _isEnded = true;
        world.End();
    }

    private void OnAttach(Attach attach, IActorRef hub)
    {
        if (!world.MayDecide || _pending?.Session == attach.Session)
        {
            return;   // it asks again
        }

        if (_owner is { } owner && owner.Session == attach.Session)
        {
            if (attach.LiveEpoch > 0)
            {
                _owner = owner with { Hub = hub };   // it may have been killed, and be another
                world.Send(hub, new EpochIs(identity, owner.Session, owner.Epoch, _kept.Revision));
            }
            else
            {
                SendAttached(owner);
                PassQueue(owner);   // it may have been told of messages before
            }

            return;
        }

        var asker = new Attachment(attach.Session, hub, attach.Place, attach.Peer, attach.Order, attach.LiveEpoch);
        if (asker.IsLive)
        {
            OnLive(asker, attach.State);
        }
        else if (IsLate(asker))   // it asked again before it heard of the one that has asked since
        {
            world.Send(hub, new Over(identity, asker.Session, (_pending ?? _owner)?.Text ?? "another session"));
        }
        else if (_pending is not { IsLive: true } || _phase != Phase.Releasing)
        {
            OnNew(asker);
        }   // else two speak that have to end, one after the other: it asks again
    }

    private void OnNew(Attachment asker)
    {
        if (_pending is { IsLive: true } live)
        {
            _owner = live;   // it speaks: it has to end before another does
        }
        else if (_pending is { } pending)
        {
            Displace(pending, asker);
        }

        _pending = asker;
        if (_phase == Phase.Idle)
        {
            Begin();
        }
    }

    private bool IsLate(Attachment asker) =>
        _displaced?.Contains(asker.Place, asker.Order) == true || (_pending ?? _owner)?.IsLaterThan(asker) == true;

    private void Displace(Attachment waiting, Attachment by)
    {
        (_displaced ??= new DisplacedOrders()).Add(waiting.Place, waiting.Order, world.IsGone);
        world.Send(waiting.Hub, new Over(identity, waiting.Session, by.Text));
    }

    /// <summary>A session that is attached already, by an entity that was lost.</summary>
    private void OnLive(Attachment asker, KeptState state)
    {
        Keep(asker.Epoch, state);   // who follows it gets its checkpoint, if that is not given yet
        if (_owner is null && _pending is null)
        {
            _isResting = false;
            _pending = asker;
            if (_phase != Phase.Claiming)
            {
                Claim();
            }
        }
        else if (_phase == Phase.Asking)
        {
            _owner = asker;
            Release();
        }
        else
        {
            world.Send(asker.Hub, new Over(identity, asker.Session, (_pending ?? _owner)!.Text));
        }
    }

    private void Begin()
    {
        _isResting = false;
        if (_owner is not null)
        {
            Release();
        }
        else if (!_isSure && world.MayHaveLostEntities)
        {
            Ask();
        }
        else
        {
            Claim();
        }
    }

    private void Ask()
    {
        _asked = [.. world.Hubs.Select(static hub => hub.Place)];
        _phase = Phase.Asking;
        AskRest();
    }

    /// <summary>Asks those that have not answered. One that is silent may have a session that speaks.</summary>
    /// <remarks>When one is gone, by what this member knows, all others are asked once more: one of them may have heard
    /// it later, and let it send for longer.</remarks>
    private void AskRest()
    {
        if (_asked!.RemoveWhere(world.IsGone) > 0)
        {
            _asked = [.. world.Hubs.Select(static hub => hub.Place)];
        }

        if (_asked.Count == 0)
        {
            Claim();
            return;
        }

        world.WakeIn(AskAgain);
        foreach (var (place, hub) in world.Hubs)
        {
            if (_asked.Contains(place))
            {
                world.Send(hub, new WhoHas(identity));
            }
        }
    }

    private void OnHasNone(Place place)
    {
        if (_phase == Phase.Asking && _asked!.Remove(place) && _asked.Count == 0)
        {
            Claim();
        }
    }

    private void Release()
    {
        _phase = Phase.Releasing;
        world.WakeIn(AskAgain);
        world.Send(_owner!.Hub, new Supersede(identity, _owner.Session, _pending?.Text ?? "nobody"));
    }

    private void Claim()
    {
        if (_pending is null || !world.MayDecide)
        {
            _phase = Phase.Idle;
            _pending = null;   // it asks again
            Rest();
            return;
        }

        _phase = Phase.Claiming;
        world.Claim(Math.Max(_kept.Epoch, _pending.Epoch) + 1);
    }

    private void OnDetach(Detach detach, IActorRef hub)
    {
        world.Send(hub, new Detached(identity, detach.Session));
        if (_pending?.Session == detach.Session)
        {
            Keep(detach.Epoch, detach.State);
            _pending = null;   // what is under way comes to its end, and attaches nobody
        }
        else if (_owner is { } owner && owner.Session == detach.Session)
        {
            Store(owner.Epoch, detach.State);
            _released = _phase == Phase.Releasing ? owner.Text : null;   // else it ended by itself
            _owner = null;
            if (_phase == Phase.Releasing)
            {
                Claim();
            }
            else
            {
                Rest();
            }
        }
        else if (_owner is null && detach.Epoch >= _kept.Epoch)
        {
            // Its entity was lost before it ended.
            if (_phase == Phase.Idle)
            {
                Store(detach.Epoch, detach.State);
                Rest();
            }
            else
            {
                Keep(detach.Epoch, detach.State);   // who is attached next gets it, and the store
            }
        }
    }

    private void OnSave(Save save, IActorRef hub)
    {
        if (_owner is { } owner && owner.Session == save.Session)
        {
            if (save.State.Revision > _kept.Revision || save.Sync)
            {
                Keep(owner.Epoch, save.State);
                world.Save(_kept, save.Sync ? owner : null);
            }
        }
        else if (_pending?.Session == save.Session)
        {
            Keep(save.Epoch, save.State);   // it waits for an epoch; one that waits for this is told again
        }
        else if (_owner is null && (_pending is null || _phase == Phase.Asking) && save.Epoch >= _kept.Epoch)
        {
            world.Send(hub, new Unknown(identity, save.Session));
        }
        else if (_phase != Phase.Releasing)
        {
            world.Send(hub, new Over(identity, save.Session, (_owner ?? _pending)?.Text ?? "another session"));
        }
    }

    /// <param name="tell">What is told.</param>
    /// <param name="backFrom">The session that it came too late for, or too early.</param>
    private void OnTell(Tell tell, SessionId? backFrom = null)
    {
        if (_owner is { } owner && owner.Session != backFrom)
        {
            world.Send(owner.Hub, new Pass(identity, owner.Session, tell));
        }
        else if (tell.Ack is { } asker)
        {
            world.Answer(asker, Delivery.NotAttached);
        }
        else if (Queued >= limits.QueueMessages)
        {
            world.CountQueueDrop();
        }
        else
        {
            (_queue ??= []).Enqueue(tell);
            if (_phase == Phase.Idle && _owner is null)
            {
                Rest();
            }
        }
    }

    private void SendAttached(Attachment owner) => world.Send(owner.Hub, new Attached(
        identity, owner.Session, owner.Epoch, new KeptState(_kept.Revision, _kept.State), _released));

    private void PassQueue(Attachment owner)
    {
        while (_queue is not null && _queue.TryDequeue(out var tell))
        {
            world.Send(owner.Hub, new Pass(identity, owner.Session, tell));
        }
    }

    /// <summary>Remembers a session's checkpoint, if it is newer than what is known.</summary>
    private void Keep(long epoch, KeptState state)
    {
        if (state.Revision > _kept.Revision)
        {
            _kept = new Checkpoint(identity, Math.Max(epoch, _kept.Epoch), state.Revision, state.Bytes);
        }
    }

    private void Store(long epoch, KeptState state)
    {
        if (state.Revision > _kept.Revision)
        {
            Keep(epoch, state);
            world.Save(_kept, null);
        }
    }

    /// <summary>Nobody speaks for the identity: after a while it is forgotten.</summary>
    private void Rest()
    {
        _isResting = true;
        world.WakeIn(IsUnknown ? limits.ForgetUnknownAfter : limits.ForgetAfter);
    }
}

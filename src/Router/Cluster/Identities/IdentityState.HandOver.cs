namespace Router.Cluster.Identities;

/// <content>Its way to another member.</content>
internal sealed partial class IdentityState
{
    /// <summary>The store has been asked for an epoch, and it is not known which: not to be handed over now, for what
    /// the next entity writes could be refused by it.</summary>
    public bool IsClaiming => _phase == Phase.Claiming;

    /// <summary>All that it knows, for the next entity. Whoever waits to be attached asks again.</summary>
    public CarriedIdentity Carry()
    {
        var owner = _owner ?? (_pending is { IsLive: true } live ? live : null);
        return new CarriedIdentity(_kept, owner, [.. _queue ?? []], _isSure || owner is not null, _claimsLost);
    }

    /// <summary>Goes on where another entity stopped, at another member. What is carried should be there first of all;
    /// where it comes late, this entity has begun without, and the one whose epoch is higher holds.</summary>
    public void Inherit(CarriedIdentity carried)
    {
        if (_isEnded)
        {
            return;
        }

        if (_kept.Epoch <= carried.Kept.Epoch)
        {
            _kept = carried.Kept.Revision >= _kept.Revision
                ? carried.Kept
                : _kept with { Epoch = carried.Kept.Epoch };
            _isSure |= carried.IsSure;
            _claimsLost += carried.ClaimsLost;
            world.Keep(_kept);
            InheritOwner(carried.Owner);
        }
        else if (carried.Owner is { } old && old.Session != _owner?.Session && old.Session != _pending?.Session)
        {
            world.Send(old.Hub, new Over(identity, old.Session, (_owner ?? _pending)?.Text ?? "another session"));
        }

        if (carried.Queue.Count > 0)
        {
            _queue = new Queue<Tell>(carried.Queue.Concat(_queue ?? []).Take(limits.QueueMessages));
        }

        if (_phase == Phase.Idle && _owner is { } owner)
        {
            PassQueue(owner);
        }
    }

    private void InheritOwner(Attachment? owner)
    {
        switch (_phase)
        {
            case Phase.Idle when _owner is null && owner is not null:
                _isResting = false;
                _owner = owner;
                world.Send(owner.Hub, new EpochIs(identity, owner.Session, owner.Epoch, _kept.Revision));
                break;
            case Phase.Idle when _owner is null:
                Rest();
                break;
            case Phase.Idle when _owner.Session != owner?.Session:
                _pending = owner;   // the other was attached without what is kept: it ends, and its peer begins anew
                Release();
                break;
            case Phase.Asking when owner is not null:
                _owner = owner;
                Release();
                break;
            case Phase.Asking when _isSure:
                Claim();
                break;
            case Phase.Claiming when owner is not null && _owner is null && _pending?.Session != owner.Session:
                _owner = owner;   // it ends first, when the epoch is there
                break;
            default:
                break;
        }
    }
}

using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>What a hub's logic needs of the world. In its turns.</summary>
internal interface IHubWorld
{
    /// <summary>Monotonic.</summary>
    TimeSpan Now { get; }

    /// <summary>This member.</summary>
    Place Place { get; }

    /// <summary>A member is out of the cluster that this one may have let send until now.</summary>
    bool MayRemovedSend { get; }

    void ToIdentity(IToIdentity message);

    void ToSession(IActorRef session, IdentityMessage message, IActorRef? sender);

    /// <summary>A session's detachment was acknowledged by nobody in time: its last checkpoint may be lost.</summary>
    void CountLostDetach();
}

/// <summary>A member's sessions that have, or want, an identity: asks again until there is an answer, and keeps their
/// newest checkpoint for the case that an entity is lost. The logic alone, which the simulation runs as well.</summary>
internal sealed partial class HubState(IHubWorld first)
{
    /// <summary>How often what is not answered is looked at.</summary>
    internal static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Of those that wait, asked again in one tick; the more there are, the rarer each: many sessions that end
    /// at once must not drown what answers them.</summary>
    private const int AskedAtOnce = 2_000;

    /// <summary>How long a session's end is told again.</summary>
    private static readonly TimeSpan DetachFor = TimeSpan.FromSeconds(60);

    /// <summary>How long a session waits for its checkpoint to be kept.</summary>
    private static readonly TimeSpan SyncFor = TimeSpan.FromSeconds(10);

    private readonly Dictionary<SessionId, Entry> _entries = [];
    private readonly AttachedTable _attached = new();
    private readonly HashSet<Entry> _waiting = [];   // for an answer
    private readonly Dictionary<string, Entry> _ended = new(StringComparer.Ordinal);   // the latest of each
    private IHubWorld _world = first;
    private long _asked;   // sessions that asked to be attached

    internal enum Phase
    {
        Attaching,
        Attached,
        Ended,
    }

    /// <summary>The hub's actor has failed, or was killed, and is another: what is known of sessions stays. Entities
    /// are told where they are now.</summary>
    public void GoOnIn(IHubWorld world)
    {
        _world = world;
        foreach (var entry in _attached.All)
        {
            entry.IsAnnounced = true;
            entry.Deadline = _world.Now + DetachFor;
            entry.AskedAt = TimeSpan.Zero;   // by the next ticks
            _waiting.Add(entry);
        }
    }

    /// <summary>Sessions that speak for an identity.</summary>
    public int Attached => _attached.Count;

    /// <summary>Sessions that wait for an answer.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Sessions that are over, and whose end is not acknowledged.</summary>
    public bool IsQuiet => _waiting.Count == 0;

    public void On(AttachSession asked)
    {
        var entry = new Entry(asked.Id, asked.Identity, asked.Session, asked.Peer, ++_asked)
        {
            Deadline = _world.Now + TimeSpan.FromMilliseconds(asked.TimeoutMs),
        };
        _entries[entry.Id] = entry;
        Ask(entry);
    }

    public void On(SaveCheckpoint save)
    {
        if (!_entries.TryGetValue(save.Id, out var entry) || entry.Phase != Phase.Attached)
        {
            return;
        }

        entry.State = new KeptState(save.Revision, save.State);
        if (save.Sync)
        {
            // Of the first that waits: else one that makes checkpoints all the time would wait for ever.
            entry.Deadline = entry.SyncRevision == 0 ? _world.Now + SyncFor : entry.Deadline;
            entry.SyncRevision = save.Revision;
            _waiting.Add(entry);
        }

        SendSave(entry);
    }

    public void On(EndSession ended)
    {
        if (!_entries.TryGetValue(ended.Id, out var entry))
        {
            return;
        }

        if (_attached.Of(entry.Identity) == entry)
        {
            _attached.Remove(entry);
        }

        if (entry.IsOver)
        {
            Forget(entry);
            return;
        }

        if (ended.Revision > entry.State.Revision)
        {
            entry.State = new KeptState(ended.Revision, ended.State);
        }

        if (entry.Phase != Phase.Ended)
        {
            entry.Phase = Phase.Ended;
            entry.EndedBefore = _ended.GetValueOrDefault(entry.Identity);
            _ended[entry.Identity] = entry;
        }

        entry.SyncRevision = 0;
        entry.Deadline = _world.Now + DetachFor;
        Ask(entry);
    }

    /// <param name="message">Of an entity.</param>
    /// <param name="at">Where the entity is.</param>
    public void On(IToHub message, Address at)
    {
        switch (message)
        {
            case Attached attached:
                OnAttached(attached, at);
                break;
            case EpochIs changed:
                OnEpoch(changed, at);
                break;
            case Supersede supersede:
                OnSupersede(supersede);
                break;
            case Over over when Find(over.Session) is { } entry:
                OnOver(entry, over);
                break;
            case Detached detached when Find(detached.Session) is { Phase: Phase.Ended } entry:
                Forget(entry);
                break;
            case Kept kept when Find(kept.Session) is { Phase: Phase.Attached } entry:
                OnKept(entry, kept.Revision, kept.IsKept);
                break;
            case Unknown unknown when Find(unknown.Session) is { Phase: Phase.Attached } entry:
                Announce(entry);
                break;
            case WhoHas who:
                OnWhoHas(who);
                break;
            case Pass pass:
                OnPass(pass);
                break;
            default:
                break;   // of a session that is over by now
        }
    }

    /// <summary>Entities were lost with it: the sessions that they knew tell others.</summary>
    public void OnMemberRemoved(Address at)
    {
        foreach (var entry in _attached.All.Where(entry => Equals(entry.At, at)).ToList())
        {
            Announce(entry);
        }
    }

    public void OnTick()
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        var now = _world.Now;
        var wait = AskAgain * (1 + (_waiting.Count / AskedAtOnce));
        foreach (var entry in _waiting.Where(entry => now - entry.AskedAt >= wait).Take(AskedAtOnce).ToList())
        {
            if (now >= entry.Deadline)
            {
                OnTimeout(entry);
            }
            else
            {
                Ask(entry);
            }
        }
    }

    private void OnTimeout(Entry entry)
    {
        switch (entry.Phase)
        {
            case Phase.Attaching:
                _world.ToSession(entry.Session, IdentityUnattached.Instance, ActorRefs.NoSender);
                entry.Deadline = TimeSpan.MaxValue;   // it ends, and that is told then
                _waiting.Remove(entry);
                break;
            case Phase.Attached when entry.SyncRevision > 0:
                OnKept(entry, entry.SyncRevision, isKept: false);
                break;
            case Phase.Attached:
                entry.Deadline = _world.Now + DetachFor;   // the cluster has not settled: whatever it takes
                Ask(entry);
                break;
            default:
                _world.CountLostDetach();
                Forget(entry);
                break;
        }
    }

    private void Ask(Entry entry)
    {
        entry.AskedAt = _world.Now;
        _waiting.Add(entry);
        switch (entry.Phase)
        {
            case Phase.Attaching:
                _world.ToIdentity(new Attach(
                    entry.Identity, entry.Id, _world.Place, entry.Peer, entry.Order, 0, default));
                break;
            case Phase.Attached when entry.IsAnnounced:
                _world.ToIdentity(new Attach(
                    entry.Identity, entry.Id, _world.Place, entry.Peer, entry.Order, entry.Epoch, entry.State));
                break;
            case Phase.Attached:
                SendSave(entry);
                break;
            default:
                _world.ToIdentity(new Detach(entry.Identity, entry.Id, entry.Epoch, entry.State));
                break;
        }
    }

    private void Announce(Entry entry)
    {
        entry.IsAnnounced = true;
        entry.Deadline = _world.Now + DetachFor;
        Ask(entry);
    }

    private void OnAttached(Attached attached, Address at)
    {
        if (Find(attached.Session) is not { IsOver: false } entry)
        {
            // The session is over, or told so, and its end is not told any more: who follows must not wait for it.
            _world.ToIdentity(new Detach(attached.Identity, attached.Session, attached.Epoch, default));
            return;
        }

        entry.At = at;
        if (entry.Phase == Phase.Ended)
        {
            entry.Epoch = attached.Epoch;   // its end, told by the epoch of now, follows
            return;
        }

        if (entry.Phase == Phase.Attached)
        {
            return;
        }

        entry.Phase = Phase.Attached;
        entry.Epoch = attached.Epoch;
        entry.State = attached.State;
        _waiting.Remove(entry);
        _attached.Set(entry);
        _world.ToSession(
            entry.Session,
            new IdentityAttached(attached.Epoch, attached.State.Revision, attached.State.Bytes, attached.Supersedes),
            ActorRefs.NoSender);
    }

    private void OnOver(Entry entry, Over over)
    {
        entry.IsOver = entry.IsEnding = true;
        _waiting.Remove(entry);
        if (entry.Phase == Phase.Ended)
        {
            Forget(entry);
        }
        else
        {
            _world.ToSession(entry.Session, new IdentitySuperseded(over.By), ActorRefs.NoSender);
        }
    }

    private void OnKept(Entry entry, long revision, bool isKept)
    {
        if (revision >= entry.SyncRevision)
        {
            entry.SyncRevision = 0;
            if (!entry.IsAnnounced)
            {
                _waiting.Remove(entry);
            }
        }
        else
        {
            entry.Deadline = _world.Now + SyncFor;   // of those behind it, whose first may be older by less
        }

        _world.ToSession(entry.Session, new CheckpointKept(revision, isKept), ActorRefs.NoSender);
    }

    private void OnWhoHas(WhoHas who)
    {
        if (_attached.Of(who.Identity) is { IsOver: false } entry)
        {
            Announce(entry);
        }
        else
        {
            // One that has ended may have a checkpoint that the lost entity was not told of.
            for (var ended = _ended.GetValueOrDefault(who.Identity); ended is not null; ended = ended.EndedBefore)
            {
                Ask(ended);
            }

            if (!_world.MayRemovedSend)
            {
                _world.ToIdentity(new HasNone(who.Identity, _world.Place));   // else it asks again
            }
        }
    }

    private void SendSave(Entry entry)
    {
        entry.AskedAt = _world.Now;
        _world.ToIdentity(new Save(entry.Identity, entry.Id, entry.Epoch, entry.State, entry.SyncRevision > 0));
    }

    private Entry? Find(SessionId session) => _entries.GetValueOrDefault(session);

    private void Forget(Entry entry)
    {
        _entries.Remove(entry.Id);
        _waiting.Remove(entry);
        if (entry.Phase == Phase.Ended)
        {
            ForgetEnd(entry);
        }
    }

    private void ForgetEnd(Entry entry)
    {
        if (!_ended.TryGetValue(entry.Identity, out var at))
        {
            return;   // it was over before it ended
        }

        if (at != entry)
        {
            while (at.EndedBefore is { } before && before != entry)
            {
                at = before;
            }

            at.EndedBefore = at.EndedBefore?.EndedBefore;
        }
        else if (entry.EndedBefore is { } before)
        {
            _ended[entry.Identity] = before;
        }
        else
        {
            _ended.Remove(entry.Identity);
        }
    }

    internal sealed class Entry(SessionId id, string identity, IActorRef session, string peer, long order)
    {
        public SessionId Id => id;

        public string Identity => identity;

        public IActorRef Session => session;

        public string Peer => peer;

        public long Order => order;

        public Phase Phase { get; set; }

        public long Epoch { get; set; }

        /// <summary>The newest checkpoint.</summary>
        public KeptState State { get; set; }

        /// <summary>Of the checkpoint that the session waits for; 0 for none.</summary>
        public long SyncRevision { get; set; }

        /// <summary>Told to a new entity, which has not answered yet.</summary>
        public bool IsAnnounced { get; set; }

        /// <summary>Another session speaks for the identity: the end of this one need not be told.</summary>
        public bool IsOver { get; set; }

        /// <summary>It has been told to end: what comes for it is for the next one.</summary>
        public bool IsEnding { get; set; }

        /// <summary>The entity's member.</summary>
        public Address? At { get; set; }

        /// <summary>Of the same identity, and not acknowledged either.</summary>
        public Entry? EndedBefore { get; set; }

        public TimeSpan Deadline { get; set; }

        public TimeSpan AskedAt { get; set; }

        /// <summary>Its place in <see cref="AttachedTable"/>.</summary>
        public int Slot { get; set; }

        public HubSession ToReport() => new(
            identity,
            id,
            peer,
            Phase switch { Phase.Attaching => "attaching", Phase.Attached => "attached", _ => "ended" },
            Epoch,
            State.Revision,
            State.Bytes.Length);
    }
}

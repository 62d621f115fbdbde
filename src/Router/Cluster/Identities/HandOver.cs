using System.Collections.Concurrent;
using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>All that an entity knows, on its way to the member that has its shard next.</summary>
/// <param name="Kept">Its newest checkpoint, with the identity's name.</param>
/// <param name="Owner">The session that speaks for it; null for none.</param>
/// <param name="Queue">What waits for one.</param>
/// <param name="IsSure">Nobody else speaks for it.</param>
/// <param name="ClaimsLost">Epochs that the store may have given without an answer.</param>
internal sealed record CarriedIdentity(
    Checkpoint Kept, Attachment? Owner, IReadOnlyList<Tell> Queue, bool IsSure, int ClaimsLost);

/// <summary>Tells an entity that its shard moves: hand over, then stop. Akka's HandOffStopMessage.</summary>
internal sealed class HandOffEntity
{
    public static readonly HandOffEntity Instance = new();
}

/// <summary>Told by an entity whose shard moves to its member's <see cref="HandOverActor"/>.</summary>
internal sealed record HandOver(CarriedIdentity Identity);

/// <summary>Entities that move, told to all members that may have them next: nobody knows yet which will.</summary>
/// <param name="Number">Of who sends it, for the answer.</param>
/// <param name="Wakes">Who gets it has each entity made anew, wherever its shard is by then.</param>
internal sealed record CarryPack(long Number, bool Wakes, IReadOnlyList<CarriedIdentity> Identities);

/// <summary>Answers <see cref="CarryPack"/>.</summary>
internal sealed record CarryTaken(long Number);

/// <summary>Has an entity made that was carried over.</summary>
internal sealed record WakeIdentity(string Identity) : IToIdentity;

/// <summary>Entities that sleep for long, until they are forgotten: an entry here is a tenth of one in Akka's
/// scheduler. Any thread.</summary>
internal sealed class RestingIdentities(TimeProvider time)
{
    /// <summary>Shorter sleeps are the scheduler's.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(5);

    /// <summary>How late one may be woken.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<IActorRef, (long At, int Number)> _due = [];

    public int Count => _due.Count;

    /// <param name="entity">Who sleeps.</param>
    /// <param name="delay">How long.</param>
    /// <param name="number">Told back to it.</param>
    public void Add(IActorRef entity, TimeSpan delay, int number) =>
        _due[entity] = (time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency), number);

    public void Remove(IActorRef entity) => _due.TryRemove(entity, out _);

    /// <summary>Wakes those whose time has come.</summary>
    public void Look()
    {
        var now = time.GetTimestamp();
        foreach (var (entity, due) in _due)
        {
            if (due.At <= now && _due.TryRemove(KeyValuePair.Create(entity, due)))
            {
                entity.Tell(new WakeEntity(due.Number), ActorRefs.NoSender);
            }
        }
    }
}

/// <summary>Carried identities that wait on this member for their entities, which may be made elsewhere. Any
/// thread.</summary>
internal sealed class InheritedIdentities(TimeProvider time)
{
    /// <summary>A shard that moves is at its new place long before.</summary>
    internal static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, (CarriedIdentity Identity, long Since)> _waiting =
        new(StringComparer.Ordinal);

    public TimeProvider Time => time;

    public int Count => _waiting.Count;

    public void Add(CarriedIdentity identity) =>
        _waiting[identity.Kept.Identity] = (identity, time.GetTimestamp());

    /// <summary>Takes one out; null if there is none, or it is too old to be true.</summary>
    public CarriedIdentity? Take(string identity) =>
        _waiting.TryRemove(identity, out var waiting) && time.GetElapsedTime(waiting.Since) < KeepFor
            ? waiting.Identity
            : null;

    /// <summary>Entities have moved on elsewhere, or were lost with a member: what is here may not be true any more.
    /// </summary>
    public void Clear() => _waiting.Clear();

    public void RemoveOld()
    {
        foreach (var (identity, waiting) in _waiting)
        {
            if (time.GetElapsedTime(waiting.Since) >= KeepFor)
            {
                _waiting.TryRemove(KeyValuePair.Create(identity, waiting));
            }
        }
    }
}

/// <summary>Hands over what this member's entities know when their shards move, and takes what others hand over.
/// </summary>
/// <remarks>An entity stops only when all other members have it, or do not answer for <see cref="AnswerTimeout"/>: the
/// coordinator gives its shard away only then. So the next entity finds it wherever it is made. A member that does not
/// answer is told again, until it does or is out: an entity that has begun there without takes it late.</remarks>
internal sealed class HandOverActor : UntypedActor, IWithTimers
{
    public const string Name = "router-hand-over";

    /// <summary>Long enough for a member that is busy: an entity that is made before its state is there begins without.
    /// A shard ends its entities by force <see cref="ForcedBefore"/> before sharding's <c>handoff-timeout</c>, which is
    /// later.</summary>
    internal static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(6);

    /// <summary>Akka's Shard.HandOff takes it off.</summary>
    internal static readonly TimeSpan ForcedBefore = TimeSpan.FromSeconds(5);

    private const int PackIdentities = 500;
    private const int PackBytes = 256 << 10;

    /// <summary>For the limit of a pack; how long a message will be is not known before it is written.</summary>
    private const int BytesOfTell = 512;

    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(10);

    private readonly IIdentityMembers _members;
    private readonly InheritedIdentities _inherited;
    private readonly RestingIdentities _resting;
    private readonly IActorRef _entities;
    private readonly Place _place;
    private readonly List<(CarriedIdentity Identity, IActorRef Entity)> _gathered = [];
    private readonly Dictionary<long, Sent> _sent = [];
    private readonly Dictionary<(ActorPath From, long Number), long> _taken = [];   // and when
    private readonly IdentityExtractor _extractor;
    private int _gatheredBytes;
    private long _number;

    public HandOverActor(
        IdentityEnvironment environment, IActorRef entities, IdentityExtractor extractor, Place place)
    {
        (_members, _inherited, _resting) = (environment.Members, environment.Inherited, environment.Resting);
        (_entities, _extractor, _place) = (entities, extractor, place);
        _number = _inherited.Time.GetTimestamp();   // one that replaces another begins higher
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(
        IdentityEnvironment environment, IActorRef entities, IdentityExtractor extractor, Place place) =>
        Props.Create<HandOverActor>(environment, entities, extractor, place);

    protected override void PreStart() =>
        Timers.StartPeriodicTimer(nameof(Clean), Clean.Instance, RestingIdentities.LookEvery);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case HandOver over:
                Gather(over.Identity);
                break;
            case Gathered:
                Send();
                break;
            case CarryPack pack:
                Take(pack);
                break;
            case CarryTaken taken:
                OnTaken(taken.Number);
                break;
            case Again again:
                Tell(again.Number);
                break;
            case MemberGone:
                _inherited.Clear();
                break;
            case Clean:
                Clear();
                _resting.Look();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Gather(CarriedIdentity identity)
    {
        _inherited.Add(identity);   // the shard may be given back
        _gathered.Add((identity, Sender));
        _gatheredBytes += identity.Kept.State.Length + (identity.Queue.Count * BytesOfTell);
        if (_gathered.Count >= PackIdentities || _gatheredBytes >= PackBytes)
        {
            Send();
        }
        else if (!Timers.IsTimerActive(nameof(Gathered)))
        {
            Timers.StartSingleTimer(nameof(Gathered), Gathered.Instance, GatherFor);
        }
    }

    private void Send()
    {
        Timers.Cancel(nameof(Gathered));
        if (_gathered.Count == 0)
        {
            return;
        }

        var others = OthersNow();
        var pack = _gathered.ConvertAll(static each => each.Identity);
        var number = ++_number;
        _sent[number] = new Sent(pack, _gathered.ConvertAll(static each => each.Entity), _inherited.Time.GetTimestamp())
        {
            Missing = others,
            Waker = others.Keys.FirstOrDefault(),
        };
        _gathered.Clear();
        _gatheredBytes = 0;
        Tell(number);
    }

    private Dictionary<Place, IActorRef> OthersNow() => _members.HandOvers.Where(each => each.Place != _place)
        .ToDictionary(static each => each.Place, static each => each.Actor);

    /// <summary>Tells those that have not answered.</summary>
    private void Tell(long number)
    {
        if (!_sent.TryGetValue(number, out var sent))
        {
            return;
        }

        var others = OthersNow();
        foreach (var gone in sent.Missing.Keys.Where(place => !others.ContainsKey(place)).ToList())
        {
            sent.Missing.Remove(gone);
        }

        if (sent.Missing.Count == 0 || _inherited.Time.GetElapsedTime(sent.Since) >= InheritedIdentities.KeepFor)
        {
            Stop(sent);
            _sent.Remove(number);
            return;
        }

        if (_inherited.Time.GetElapsedTime(sent.Since) >= AnswerTimeout)
        {
            Stop(sent);   // the coordinator waits for no longer
        }

        foreach (var (place, actor) in sent.Missing)
        {
            actor.Tell(new CarryPack(number, place == sent.Waker, sent.Identities));
        }

        Timers.StartSingleTimer(number, new Again(number), TellAgain);
    }

    private void Take(CarryPack pack)
    {
        Sender.Tell(new CarryTaken(pack.Number));
        if (!_taken.TryAdd((Sender.Path, pack.Number), _inherited.Time.GetTimestamp()))
        {
            return;   // the answer was lost
        }

        foreach (var identity in pack.Identities)
        {
            _inherited.Add(identity);
            Running(identity.Kept.Identity).Tell(TakeInherited.Instance, ActorRefs.NoSender);
        }

        if (pack.Wakes)
        {
            foreach (var identity in pack.Identities)
            {
                _entities.Tell(new WakeIdentity(identity.Kept.Identity));
            }
        }
    }

    /// <summary>An identity's entity, if it runs at this member.</summary>
    private IActorRef Running(string identity)
    {
        var shard = _entities.Path / Uri.EscapeDataString(_extractor.ShardId(identity)!);
        var path = shard / Uri.EscapeDataString(identity);
        return ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(path.ToString());
    }

    private void OnTaken(long number)
    {
        if (!_sent.TryGetValue(number, out var sent))
        {
            return;
        }

        foreach (var (place, actor) in sent.Missing)
        {
            if (actor.Path.Equals(Sender.Path))
            {
                sent.Missing.Remove(place);
            }
        }

        if (sent.Missing.Count == 0)
        {
            Timers.Cancel(number);
            _sent.Remove(number);
            Stop(sent);
        }
    }

    private static void Stop(Sent sent)
    {
        foreach (var entity in sent.Entities)
        {
            entity.Tell(StopEntity.Instance);
        }

        sent.Entities = [];
    }

    private void Clear()
    {
        _inherited.RemoveOld();
        foreach (var (key, since) in _taken)
        {
            if (_inherited.Time.GetElapsedTime(since) > 2 * InheritedIdentities.KeepFor)
            {
                _taken.Remove(key);
            }
        }
    }

    /// <summary>A pack on its way.</summary>
    private sealed class Sent(
        IReadOnlyList<CarriedIdentity> identities, IReadOnlyList<IActorRef> entities, long since)
    {
        public IReadOnlyList<CarriedIdentity> Identities => identities;

        /// <summary>Those that wait for the answers; none once they were told to stop.</summary>
        public IReadOnlyList<IActorRef> Entities { get; set; } = entities;

        public long Since => since;

        /// <summary>Who has not answered.</summary>
        public required Dictionary<Place, IActorRef> Missing { get; init; }

        /// <summary>Who has the entities made anew.</summary>
        public Place Waker { get; init; }
    }

    private sealed record Again(long Number);

    private sealed class Gathered
    {
        public static readonly Gathered Instance = new();
    }

    private sealed class Clean
    {
        public static readonly Clean Instance = new();
    }
}

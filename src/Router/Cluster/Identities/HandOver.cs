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

    /// <summary>With a full pack before it, far from the frame's limit: what is larger is never delivered. What waits
    /// of an identity beyond it, the oldest first, is dropped and counted.</summary>
    internal const int IdentityBytesMax = 512 << 10;

    /// <summary>Its name, its session, and numbers.</summary>
    private const int IdentityBytes = 512;

    /// <summary>On the way to members that have not answered: more would hold up their heartbeats.</summary>
    internal const int WindowBytes = 4 << 20;

    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(10);

    private readonly IIdentityMembers _members;
    private readonly InheritedIdentities _inherited;
    private readonly RestingIdentities _resting;
    private readonly IActorRef _entities;
    private readonly Place _place;
    private readonly List<(CarriedIdentity Identity, IActorRef Entity)> _gathered = [];
    private readonly Dictionary<long, Sent> _sent = [];
    private readonly Queue<Sent> _held = [];   // until there is room in the window
    private readonly Dictionary<(ActorPath From, long Number), long> _taken = [];   // and when
    private readonly IdentityExtractor _extractor;
    private readonly IdentityCounters _counters;
    private int _gatheredBytes;
    private int _onTheWay;
    private long _number;

    public HandOverActor(
        IdentityEnvironment environment, IActorRef entities, IdentityExtractor extractor, Place place)
    {
        (_members, _inherited, _resting) = (environment.Members, environment.Inherited, environment.Resting);
        _counters = environment.Counters;
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
                Look(again.Number);
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

    private void Gather(CarriedIdentity all)
    {
        var (identity, bytes) = Fitting(all);
        _inherited.Add(identity);   // the shard may be given back
        _gathered.Add((identity, Sender));
        _gatheredBytes += bytes;
        if (_gathered.Count >= PackIdentities || _gatheredBytes >= PackBytes)
        {
            Send();
        }
        else if (!Timers.IsTimerActive(nameof(Gathered)))
        {
            Timers.StartSingleTimer(nameof(Gathered), Gathered.Instance, GatherFor);
        }
    }

    /// <summary>What one message has room for, and its size at most.</summary>
    private (CarriedIdentity Identity, int Bytes) Fitting(CarriedIdentity identity)
    {
        var bytes = IdentityBytes + identity.Kept.State.Length;
        if (identity.Queue.Count == 0)
        {
            return (identity, bytes);
        }

        var fitting = new List<Tell>(identity.Queue.Count);
        foreach (var tell in identity.Queue.Reverse())
        {
            if (SizeOf(tell) is { } size && bytes + size <= IdentityBytesMax)
            {
                bytes += size;
                fitting.Add(tell);
            }
            else
            {
                _counters.CountQueueDrop();
            }
        }

        fitting.Reverse();
        return (identity with { Queue = fitting }, bytes);
    }

    /// <returns>Null for what no serializer of Akka's can write: it would keep the whole pack from being sent.
    /// </returns>
    private static int? SizeOf(Tell tell)
    {
        try
        {
            var writer = new IdentityWriter((ExtendedActorSystem)Context.System);
            writer.Tell(tell);
            return writer.ToArray().Length;
        }
        catch (Exception)
        {
            return null;
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
        var number = ++_number;
        var sent = new Sent(
            number,
            _gathered.ConvertAll(static each => each.Identity),
            _gathered.ConvertAll(static each => each.Entity),
            _gatheredBytes,
            _inherited.Time.GetTimestamp())
        {
            Missing = others,
            Waker = others.Keys.FirstOrDefault(),
        };
        _sent[number] = sent;
        _held.Enqueue(sent);
        _gathered.Clear();
        _gatheredBytes = 0;
        Timers.StartSingleTimer(number, new Again(number), TellAgain);   // it may be held, and has to stop in time
        TellHeld();
    }

    /// <summary>Tells as many as the window has room for.</summary>
    private void TellHeld()
    {
        while (_held.TryPeek(out var next) && (_onTheWay == 0 || _onTheWay + next.Bytes <= WindowBytes))
        {
            _held.Dequeue();
            if (_sent.ContainsKey(next.Number))
            {
                (next.ToldAt, next.IsOnTheWay) = (_inherited.Time.GetTimestamp(), true);
                _onTheWay += next.Bytes;
                Look(next.Number);
            }
        }
    }

    /// <summary>Its bytes are on the way no more, or are not waited for.</summary>
    private void Leave(Sent sent)
    {
        if (sent.IsOnTheWay)
        {
            sent.IsOnTheWay = false;
            _onTheWay -= sent.Bytes;
            TellHeld();
        }
    }

    private Dictionary<Place, IActorRef> OthersNow() => _members.HandOvers.Where(each => each.Place != _place)
        .ToDictionary(static each => each.Place, static each => each.Actor);

    /// <summary>Tells those that have not answered, again and again.</summary>
    private void Look(long number)
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

        var waited = _inherited.Time.GetElapsedTime(sent.Since);
        if (sent.Missing.Count == 0 || waited >= InheritedIdentities.KeepFor)
        {
            End(sent);
            return;
        }

        Timers.StartSingleTimer(number, new Again(number), TellAgain);
        if (waited >= AnswerTimeout)
        {
            Stop(sent);   // the coordinator waits for no longer
        }

        if (sent.ToldAt is not { } told)
        {
            return;
        }

        foreach (var (place, actor) in sent.Missing)
        {
            actor.Tell(new CarryPack(number, place == sent.Waker, sent.Identities));
        }

        if (_inherited.Time.GetElapsedTime(told) >= AnswerTimeout)
        {
            Leave(sent);   // who does not answer holds up nobody else
        }
    }

    private void End(Sent sent)
    {
        Timers.Cancel(sent.Number);
        _sent.Remove(sent.Number);
        Stop(sent);
        Leave(sent);
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
            End(sent);
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

    /// <summary>A pack on its way, or held until others have arrived.</summary>
    private sealed class Sent(
        long number, IReadOnlyList<CarriedIdentity> identities, IReadOnlyList<IActorRef> entities, int bytes,
        long since)
    {
        public long Number => number;

        public IReadOnlyList<CarriedIdentity> Identities => identities;

        /// <summary>Those that wait for the answers; none once they were told to stop.</summary>
        public IReadOnlyList<IActorRef> Entities { get; set; } = entities;

        public int Bytes => bytes;

        public long Since => since;

        /// <summary>When it was first told; null while it is held.</summary>
        public long? ToldAt { get; set; }

        /// <summary>It takes its part of the window.</summary>
        public bool IsOnTheWay { get; set; }

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

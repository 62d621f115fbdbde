using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Sessions;
using Router.Tests.Cluster.Simulation;

namespace Router.Tests.Cluster;

/// <summary>Two members and a store, as an identity's logic sees them: remembers what it is told.</summary>
internal sealed class IdentityWorld : IIdentityWorld
{
    public static SessionId Id(int session) => new(0, (ulong)session);

    public static Place PlaceOf(int member) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{member}", 27_200), member);

    public static SimRef HubOf(int member) => new(PlaceOf(member).Address, "hub", member);

    public List<IToHub> Sent { get; } = [];

    public List<Checkpoint> Saved { get; } = [];

    public HashSet<Place> Gone { get; } = [];

    public long? Claiming { get; set; }

    public bool MayDecide { get; set; } = true;

    public bool MayHaveLostEntities { get; set; }

    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs =>
    [
        .. new[] { 1, 2 }.Where(member => !IsGone(PlaceOf(member)))
            .Select(static member => (PlaceOf(member), HubOf(member))),
    ];

    public IEnumerable<string> Told => Sent.Select(static message => message switch
    {
        Supersede told => $"Supersede {told.Session.Low}",
        Detached told => $"Detached {told.Session.Low}",
        Attached told => $"Attached {told.Session.Low}",
        EpochIs told => $"EpochIs {told.Session.Low}",
        Unknown told => $"Unknown {told.Session.Low}",
        Over told => $"Over {told.Session.Low}",
        WhoHas => "WhoHas",
        _ => message.ToString()!,
    });

    public bool IsGone(Place place) => Gone.Contains(place);

    public void Send(IActorRef hub, IToHub message) => Sent.Add(message);

    public void Claim(long lowestEpoch) => Claiming = lowestEpoch;

    public void Save(Checkpoint checkpoint, Attachment? asker) => Saved.Add(checkpoint);

    public void Keep(Checkpoint checkpoint)
    {
    }

    public void Forget(long epoch)
    {
    }

    /// <summary>The latest alarm, which replaces those before.</summary>
    public TimeSpan? Wakes { get; private set; }

    public void WakeIn(TimeSpan delay) => Wakes = delay;

    public void End()
    {
    }

    public List<IToIdentity> PassedOn { get; } = [];

    public void PassOn(IToIdentity message, IActorRef hub) => PassedOn.Add(message);

    public void CountQueueDrop()
    {
    }

    public void Answer(IActorRef asker, Delivery delivery)
    {
    }

    /// <summary>Whether each that was attached took another's place.</summary>
    public List<bool> Counted { get; } = [];

    public void CountAttached(bool isSupersede) => Counted.Add(isSupersede);
}

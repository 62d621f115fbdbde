using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>What a member sees of its cluster.</summary>
/// <param name="Members">All of them, whatever their status.</param>
/// <param name="Oldest">Of those with listeners that are up; null for none.</param>
/// <param name="Routers">How many these are.</param>
/// <param name="IsSettled">This member is up, and all are heard of.</param>
/// <param name="Age">How long this member has been up.</param>
internal sealed record ClusterView(
    IReadOnlySet<Address> Members, Address? Oldest, int Routers, bool IsSettled, TimeSpan Age);

/// <summary>Whom this member has asked to be let in. Any thread.</summary>
internal sealed class AskedSeeds
{
    private volatile IReadOnlyList<Address> _addresses = [];

    public IReadOnlyList<Address> Addresses
    {
        get => _addresses;
        set => _addresses = value;
    }
}

/// <summary>Finds out when there are two clusters where there should be one, and ends the younger.</summary>
/// <remarks>A member begins a cluster when nobody has let it in within a time-out. Others may live all the same: behind
/// a partition, or too busy to answer. So the oldest member of each cluster goes on asking those that it once asked to
/// be let in, and that are not among its members. Where one of them is in another cluster, one of both ends: all its
/// members are downed, and started anew by their supervisors they join the other.</remarks>
internal sealed class SecondClusterActor : ReceiveActor, IWithTimers
{
    /// <summary>Below /user.</summary>
    public const string Name = "router-second-cluster";

    /// <summary>How soon those that are missing are asked; then twice as long each time, up to <see cref="AskMax"/>,
    /// until members come or go.</summary>
    internal static readonly TimeSpan AskFirst = TimeSpan.FromSeconds(2);

    internal static readonly TimeSpan AskMax = TimeSpan.FromSeconds(32);

    private readonly Address _self;
    private readonly AskedSeeds _seeds;
    private readonly Func<ClusterView> _look;
    private readonly Func<Address, IActorRef> _actorAt;
    private readonly Action _end;
    private readonly ILogger _log;
    private IReadOnlySet<Address> _known = new HashSet<Address>();
    private TimeSpan _pause = AskFirst;
    private TimeSpan _left;

    /// <param name="self">This member.</param>
    /// <param name="seeds">Kept outside: one that is started anew still knows them.</param>
    /// <param name="look">What it sees now.</param>
    /// <param name="actorAt">This actor at another member.</param>
    /// <param name="end">Downs all members of this cluster.</param>
    /// <param name="log">The router's.</param>
    public SecondClusterActor(
        Address self, AskedSeeds seeds, Func<ClusterView> look, Func<Address, IActorRef> actorAt, Action end,
        ILogger log)
    {
        (_self, _seeds, _look, _actorAt, _end, _log) = (self, seeds, look, actorAt, end, log);
        Receive<Tick>(_ => Ask(_look()));
        Receive<ClusterStanding>(told => OnTold(told, _look()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(
        Address self, AskedSeeds seeds, Func<ClusterView> look, Func<Address, IActorRef> actorAt, Action end,
        ILogger log) =>
        Props.Create<SecondClusterActor>(self, seeds, look, actorAt, end, log);

    /// <summary>Starts it for a member.</summary>
    public static void Start(ActorSystem system, AskedSeeds seeds, MemberTable table, ILogger log)
    {
        var cluster = AkkaCluster.Get(system);
        var provider = ((ExtendedActorSystem)system).Provider;
        ActorKeeper.Start(
            system,
            PropsOf(
                cluster.SelfAddress,
                seeds,
                () => ViewOf(cluster, table),
                other => provider.ResolveActorRef((new RootActorPath(other) / "user" / Name).ToString()),
                () => DownAll(cluster),
                log),
            Name,
            log);
    }

    protected override void PreStart() =>
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, AskFirst, AskFirst);

    private static ClusterView ViewOf(AkkaCluster cluster, MemberTable table)
    {
        var state = cluster.State;
        var routers = state.Members
            .Where(static member => member.HasRole(ClusterSettings.Role) && member.Status == MemberStatus.Up)
            .ToList();
        var oldest = routers.Aggregate(
            (Member?)null, static (old, next) => old is null || next.IsOlderThan(old) ? next : old);
        return new ClusterView(
            state.Members.Select(static member => member.Address).ToHashSet(),
            oldest?.Address,
            routers.Count,
            routers.Exists(member => member.UniqueAddress.Equals(cluster.SelfUniqueAddress))
                && state.Unreachable.IsEmpty,
            table.Age);
    }

    private static void DownAll(AkkaCluster cluster)
    {
        foreach (var member in cluster.State.Members.Where(member => !member.Address.Equals(cluster.SelfAddress)))
        {
            cluster.Down(member.Address);
        }

        cluster.Down(cluster.SelfAddress);
    }

    private void Ask(ClusterView view)
    {
        if (!view.Members.SetEquals(_known))
        {
            (_known, _pause, _left) = (view.Members, AskFirst, TimeSpan.Zero);
        }

        _left -= AskFirst;
        if (!view.IsSettled || !_self.Equals(view.Oldest) || _left > TimeSpan.Zero)
        {
            return;
        }

        _left = _pause;
        _pause = _pause * 2 < AskMax ? _pause * 2 : AskMax;
        foreach (var missing in _seeds.Addresses.Where(seed => !view.Members.Contains(seed) && !seed.Equals(_self)))
        {
            _actorAt(missing).Tell(StandingOf(view, ClusterStandingKind.Question));
        }
    }

    private void OnTold(ClusterStanding told, ClusterView view)
    {
        var other = Sender.Path.Address;
        if (!view.IsSettled || view.Members.Contains(other))
        {
            return;
        }

        if (!_self.Equals(view.Oldest))
        {
            if (told.Kind == ClusterStandingKind.Question && view.Oldest is { } oldest)
            {
                _actorAt(oldest).Forward(told with { Kind = ClusterStandingKind.Forwarded });
            }

            return;
        }

        var ours = StandingOf(view, ClusterStandingKind.Answer);
        if (told.Kind != ClusterStandingKind.Answer)
        {
            Sender.Tell(ours);
        }

        var goesOn = ours.GoesOn(_self, other, told);
        ClusterLog.SecondCluster(
            _log, MemberTable.TextOf(other), told.Members, told.AgeMs, goesOn ? "goes on" : "ends");
        if (!goesOn)
        {
            _end();
        }
    }

    private static ClusterStanding StandingOf(ClusterView view, ClusterStandingKind kind) =>
        new(kind, view.Routers, (long)view.Age.TotalMilliseconds);

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }
}

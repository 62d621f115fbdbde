using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;
using Router.Cluster.Identities;
using Router.Cluster.Operations;
using Router.Configuration;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>This process as a member of its cluster. Started once, with the router; it leaves by
/// <see cref="CoordinatedShutdown"/>.</summary>
internal sealed class ClusterMember
{
    /// <summary>Within the time that Akka gives a phase.</summary>
    private static readonly TimeSpan DetachTimeout = TimeSpan.FromSeconds(4);

    private readonly AkkaCluster _cluster;
    private readonly ClusterOptions _options;
    private readonly ILogger _log;
    private readonly Fence _fence;
    private readonly IActorRef _configuration;
    private readonly string _salt;
    private readonly TimeProvider _time;
    private volatile ConfigurationPrint? _print;
    private DrainProgress? _progress;

    /// <param name="system">Made with <see cref="ClusterSettings"/>.</param>
    /// <param name="options">The configuration's section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fence">Kept from now on.</param>
    /// <param name="random">Unpredictable.</param>
    /// <param name="log">The router's.</param>
    public ClusterMember(
        ActorSystem system, ClusterOptions options, TimeProvider time, Fence fence, RandomSource random, ILogger log)
    {
        (_options, _log, _time, _fence, _cluster) = (options, log, time, fence, AkkaCluster.Get(system));
        Asks = new MemberAsks(system);
        Table = new MemberTable(MemberTable.TextOf(_cluster.SelfAddress), time);
        var members = new IdentityMembers((ExtendedActorSystem)system, Table, fence, time, options.FenceTimeout);
        var inherited = new InheritedIdentities(time);
        var limits = new IdentityLimits(options.IdentityQueue, options.ForgetAfter);
        Checkpoints = new CheckpointKeeper(options.Checkpoints, time, log, () => fence.IsOpen);
        var environment = new IdentityEnvironment(Checkpoints.Store, members, limits, Counters, inherited);
        var entity = Props.CreateBy(new IdentityEntityProducer(environment)).WithMailbox(SessionMailbox.Path);
        var extractor = new IdentityExtractor(options.Shards);
        var entities = ClusterSharding.Get(system).Start(
            RouterCluster.TypeName,
            _ => entity,
            ClusterShardingSettings.Create(system).WithRole(ClusterSettings.Role),
            extractor,
            ClusterSharding.Get(system).DefaultShardAllocationStrategy(ClusterShardingSettings.Create(system)),
            HandOffEntity.Instance);
        RouterCluster.Get(system).Use(entities);
        var self = new Place(_cluster.SelfAddress, _cluster.SelfUniqueAddress.Uid);
        Hub = ActorKeeper.Start(
            system, IdentityHub.PropsOf(entities, Figures, members, self), IdentityMembers.HubName, log);
        var handOver = ActorKeeper.Start(
            system, HandOverActor.PropsOf(environment, entities, extractor, self), HandOverActor.Name, log);
        environment.HandOver = handOver;
        Table.OnRemoved = (member, inOrder) => OnRemoved(member.Address, inOrder, handOver);
        CoordinatedShutdown.Get(system).AddTask(
            CoordinatedShutdown.PhaseBeforeClusterShutdown, "router-sessions-detached", DetachAsync);
        CoordinatedShutdown.Get(system).AddTask(
            CoordinatedShutdown.PhaseBeforeActorSystemTerminate, "router-checkpoints-kept", KeepCheckpointsAsync);
        ActorKeeper.Start(system, MembersActor.PropsOf(Table, log), "router-members", log);
        _salt = $"{random.NextUInt64():x16}{random.NextUInt64():x16}";
        _configuration = ActorKeeper.Start(
            system, ConfigurationActor.PropsOf(new ConfigurationAgreement(_salt, log)), "router-configuration", log);
        var keeper = new FenceKeeper(fence, _cluster.SelfUniqueAddress, options.FenceTimeout, log);
        ActorKeeper.Start(system, FenceActor.PropsOf(keeper), FenceActor.Name, log);
        system.EventStream.Subscribe(new RefusalLog(system, log, time), typeof(MemberRefused));
    }

    public MemberTable Table { get; }

    /// <summary>Whom it has asked to be let in.</summary>
    public AskedSeeds Seeds { get; } = new();

    /// <summary>Asks members what operators want to know.</summary>
    public MemberAsks Asks { get; }

    public CheckpointKeeper Checkpoints { get; }

    /// <summary>Of the entities of this member.</summary>
    public IdentityCounters Counters { get; } = new();

    /// <summary>Of the sessions of this member.</summary>
    public HubFigures Figures { get; } = new();

    /// <summary>Where sessions are attached.</summary>
    public IActorRef Hub { get; }

    /// <summary>What this member runs from now on: the others are told, and say where they run something else. Any
    /// thread.</summary>
    public void SetConfiguration(RouterOptions running)
    {
        _print = ConfigurationPrint.Of(running.Section.Section);
        _configuration.Tell(_print, ActorRefs.NoSender);
    }

    /// <summary>What this member runs, as others are told it. Any thread.</summary>
    public ConfigurationTold Configuration => new(_print!.Hash, _salt, _print.Salted(_salt));

    /// <summary>What of this member's configuration is not as in another one's: <c>keys</c>, <c>secrets</c>; null for
    /// nothing. Any thread.</summary>
    public string? DifferenceFrom(ConfigurationTold other) => ConfigurationAgreement.DifferenceOf(_print!, other);

    /// <summary>Has it answer what operators ask at any member. Once.</summary>
    public void Answer(AnswerQuestion answer) =>
        _cluster.System.ActorOf(OperationsActor.PropsOf(answer), OperationsActor.Name);

    /// <summary>What this member's entity of an identity knows; null where it has none. None is made for it.</summary>
    /// <exception cref="AskTimeoutException">It does not answer.</exception>
    public async Task<IdentityFacts?> DescribeAsync(string identity, TimeSpan timeout, CancellationToken end)
    {
        var path = new RootActorPath(_cluster.SelfAddress) / "system" / "sharding" / RouterCluster.TypeName
            / new IdentityExtractor(_options.Shards).ShardId(identity) / Uri.EscapeDataString(identity);
        return ((ExtendedActorSystem)_cluster.System).Provider.ResolveActorRef(path) is ActorRefWithCell entity
            ? await entity.Ask<IdentityFacts>(DescribeIdentity.Instance, timeout, end).ConfigureAwait(false)
            : null;
    }

    /// <summary>Any thread.</summary>
    public MemberFigures ReadFigures()
    {
        var rows = Checkpoints.Counts;
        return new MemberFigures(
            Table.Count, Table.UnreachableCount, Figures.Attached, Figures.Waiting, Counters.Entities,
            Counters.Attached, Counters.Superseded, Counters.Queued, Counters.QueueDrops, Figures.LostDetaches,
            rows?.Queued ?? 0, rows?.Written ?? 0, rows?.Lost ?? 0, Counters.StoreFailures);
    }

    /// <summary>Any thread.</summary>
    public void WriteStats(RelayFigures relay, RoomSpanFigures rooms)
    {
        var now = ReadFigures();
        ClusterLog.Stats(
            _log, now.Members, now.Unreachable, now.Attached, now.Waiting, now.Identities, now.Attachments,
            now.Superseded, now.Queued, now.QueueDrops, now.CheckpointsWritten, now.CheckpointsQueued,
            now.CheckpointsLost, now.StoreFailures, now.DetachesLost, _fence.TimesShut,
            relay.Relaying, relay.Relayed, relay.Asked, relay.Found, relay.Behind + relay.Late + relay.Lost,
            Math.Max(relay.OnTheWay, rooms.OnTheWay));
    }

    private bool IsDowned =>
        CoordinatedShutdown.Get(_cluster.System).ShutdownReason is CoordinatedShutdown.ClusterDowningReason;

    private void OnRemoved(Address address, bool inOrder, IActorRef handOver)
    {
        var gone = new MemberGone(address);
        Hub.Tell(gone, ActorRefs.NoSender);
        if (!inOrder)
        {
            handOver.Tell(gone, ActorRefs.NoSender);
        }
    }

    /// <summary>Entities move on only when they know the last checkpoints of the sessions that the drain has ended.
    /// </summary>
    private async Task<Akka.Done> DetachAsync()
    {
        if (IsDowned)
        {
            return Akka.Done.Instance;   // nobody hears it any more: the sooner it ends, the sooner it is started anew
        }

        _progress = new DrainProgress(_time, _log, static () => 0, ReadFigures);   // its router has drained

        try
        {
            await Hub.Ask<HubIsQuiet>(WhenHubIsQuiet.Instance, DetachTimeout).ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            // What is not acknowledged now is told by nobody any more: the log has how many.
            ClusterLog.NotDetached(_log, Figures.Waiting);
        }

        return Akka.Done.Instance;
    }

    private async Task<Akka.Done> KeepCheckpointsAsync()
    {
        await Checkpoints.StopAsync(IsDowned ? CheckpointKeeper.StopTimeoutDowned : CheckpointKeeper.StopTimeout)
            .ConfigureAwait(false);
        _progress?.Dispose();
        return Akka.Done.Instance;
    }

    /// <summary>Asks to be let in.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="resolver">For members that are found by a name.</param>
    public void Join(TimeProvider time, INameResolver resolver) =>
        MemberJoin.Start(_cluster.System, Table, Seeds, _options, time, resolver, _log);
}

using Akka.Cluster;
using Router.Cluster;
using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Cluster.Members;

namespace Router.TestKit;

/// <summary>A cluster within a <see cref="RouterTestKit"/>: members that run the router's own logic of identities, with
/// a local parent in place of Akka's shards, checkpoints in memory, and no remoting. What is promised of a cluster with
/// <c>checkpoints = postgres</c> holds here, in virtual time.</summary>
/// <remarks>A member is the listeners that are bound at it, a hub for their sessions' identities, and a fence. An
/// identity's entity is at the member whose session asks for it first.</remarks>
public sealed class KitCluster
{
    /// <summary>From a member's death until the others have removed it: with <c>detection = fast</c>.</summary>
    internal static readonly TimeSpan RemovedAfter = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan FenceTimeout = TimeSpan.FromSeconds(2);

    private readonly RouterTestKit _kit;
    private readonly IActorRef _region;
    private readonly MemoryCheckpoints _rows = new();
    private readonly KitStore _store;
    private readonly List<KitMember> _members = [];

    internal KitCluster(RouterTestKit kit)
    {
        _kit = kit;
        _store = new KitStore(_rows);
        Table = new MemberTable(MemberTable.TextOf(KitMember.AddressOf(1)), kit.Time);   // all members are up at once
        _region = kit.Sys.ActorOf(Props.Create<KitRegion>(this), KitRegion.Name);
        RouterCluster.Get(kit.Sys).Use(_region);
        AddMember();
    }

    /// <summary>All that there ever were, dead ones too. The first is where the kit itself binds listeners.</summary>
    public IReadOnlyList<KitMember> Members => _members;

    /// <summary>The store is not to be had: no session is attached anew, and checkpoints are lost.</summary>
    public bool IsStoreAway
    {
        get => _store.IsAway;
        set => _store.IsAway = value;
    }

    internal MemberTable Table { get; }

    /// <summary>Another router joins.</summary>
    public KitMember AddMember()
    {
        var number = _members.Count + 1;
        var unique = new UniqueAddress(KitMember.AddressOf(number), number);
        var member = new KitMember(_kit, this, unique, _region);
        _members.Add(member);
        Table.Add(unique, isRouter: true);
        return member;
    }

    /// <summary>Who has this name, as <see cref="RouterCluster"/> has it in a program. The time-out of an Ask goes by
    /// the wall clock; what it waits for happens when the kit runs.</summary>
    public IdentityRef Identity(string name) => RouterCluster.Get(_kit.Sys).Identity(name);

    /// <summary>What the store has as the identity's state; null if it has none.</summary>
    public byte[]? CheckpointOf(string identity) =>
        _rows.Find(identity) is { Revision: > 0 } kept ? kept.State.ToArray() : null;

    /// <summary>Puts a state into the store, as a session that is over has left it: the identity's next session is
    /// given it by <see cref="Sessions.SessionHandler.OnResumed"/>.</summary>
    /// <param name="identity">Whom no session speaks for.</param>
    /// <param name="state">The handler's bytes; copied.</param>
    public void Keep(string identity, ReadOnlySpan<byte> state)
    {
        var before = _rows.Find(identity);
        _rows.Put(new Checkpoint(
            identity, (before?.Epoch ?? 0) + 1, (before?.Revision ?? 0) + 1, state.ToArray()));
    }

    internal IdentityEnvironment EnvironmentOf(KitMember member) => new(
        _store,
        new IdentityMembers(ActorOf, Table, member.Fence, _kit.Time, FenceTimeout),
        new IdentityLimits(QueueMessages: 64, ForgetAfter: TimeSpan.FromDays(1)),
        new IdentityCounters(),
        new InheritedIdentities(_kit.Time));

    /// <summary>That the address is of; null for none.</summary>
    internal KitMember? Find(Address address) => _members.Find(member => member.Unique.Address.Equals(address));

    private IActorRef ActorOf(UniqueAddress unique, string name) =>
        name == IdentityMembers.HubName ? Find(unique.Address)!.Hub : ActorRefs.Nobody;
}

/// <summary>Checkpoints that all members share, and that may be away.</summary>
internal sealed class KitStore(MemoryCheckpoints rows) : IIdentityStore
{
    private readonly MemoryIdentities _kept = new(rows);

    public bool IsAway { get; set; }

    public Checkpoint? Claim(string identity, long lowestEpoch, ICheckpointOwner owner)
    {
        if (!IsAway)
        {
            return _kept.Claim(identity, lowestEpoch, owner);
        }

        owner.OnClaimLost(identity);
        return null;
    }

    public WriteResult? Write(Checkpoint checkpoint, ICheckpointOwner owner) =>
        IsAway ? WriteResult.Lost : _kept.Write(checkpoint, owner);

    public void Keep(Checkpoint checkpoint)
    {
        // Every member has the store.
    }

    public void Release(string identity, long epoch)
    {
        // The next entity goes on with the same row.
    }

    public void Forget(string identity, long epoch)
    {
        if (!IsAway)
        {
            _kept.Forget(identity, epoch);
        }
    }
}

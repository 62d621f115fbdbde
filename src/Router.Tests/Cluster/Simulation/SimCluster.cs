using System.Collections.Immutable;
using Akka.Cluster;
using Router.Cluster.Identities;
using Router.Cluster.Members;
using Router.Sessions;

namespace Router.Tests.Cluster.Simulation;

internal enum SimPhase
{
    /// <summary>Peers move, and faults happen.</summary>
    Busy,

    /// <summary>All is healed, and peers go on where they are.</summary>
    Settling,

    /// <summary>Peers are silent.</summary>
    Quiet,
}

/// <summary>Members, their network, their store and their peers, by one seed. The logic of hubs, entities and fences is
/// the product's; who is in the cluster and where entities are is a model of Akka's.</summary>
internal sealed class SimCluster
{
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SettleFor = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan DownRemovalMargin = TimeSpan.FromMilliseconds(300);

    private readonly Dictionary<string, SimProcess> _homes = [];
    private readonly Dictionary<SimProcess, TimeSpan> _outSince = [];
    private readonly HashSet<(string Identity, SimProcess From)> _moving = [];
    private readonly Dictionary<UniqueAddress, SimProcess> _all = [];
    private readonly List<string> _identities = [];
    private SimProcess? _coordinator;
    private TimeSpan _coordinatorReady;
    private int _uids;
    private ulong _sessions;
    private int _told;

    public SimCluster(int seed, Planted planted = Planted.None, bool isLogged = false)
    {
        Random = new Random(seed);
        Planted = planted;
        Plan = new SimPlan(seed, Random);
        Clock = new SimClock();
        History = new SimHistory(this, isLogged);
        Network = new SimNetwork(this);
        Store = new SimStore(this);
        Current = new SimProcess?[SimPlan.MembersMax];
        Clock.RunUntil(TimeSpan.FromHours(1));   // a member that has just started takes nobody for gone
        for (var slot = 0; slot < Plan.Members; slot++)
        {
            Start(slot, isFirst: true);
        }

        Official = new SimView(1, Running.ToImmutableDictionary(member => member, _ => FenceStanding.Member));
        foreach (var member in Running)
        {
            member.SetView(Official);
        }
    }

    public Random Random { get; }

    public Planted Planted { get; }

    public SimPlan Plan { get; }

    public SimClock Clock { get; }

    public SimHistory History { get; }

    public SimNetwork Network { get; }

    public SimStore Store { get; }

    /// <summary>The process of each machine.</summary>
    public SimProcess?[] Current { get; }

    /// <summary>What the members have agreed on last.</summary>
    public SimView Official { get; private set; }

    public SimPhase Phase { get; private set; }

    public IReadOnlyList<string> Identities => _identities;

    /// <summary>Since when nothing is broken.</summary>
    public TimeSpan? Healed { get; private set; }

    public IEnumerable<SimProcess> Running =>
        from process in Current where process is { IsDead: false } select process;

    public TimeSpan Millis(int from, int to) => new(Random.NextInt64(
        from * TimeSpan.TicksPerMillisecond, (to * TimeSpan.TicksPerMillisecond) + 1));

    public SessionId NextSession() => new(0, ++_sessions);

    public IActorRef HubOf(UniqueAddress member) => _all[member].Hub.Ref;

    public SimProcess? HomeOf(string identity) => _homes.GetValueOrDefault(identity);

    public void Run()
    {
        for (var i = 0; i < Plan.Identities; i++)
        {
            _identities.Add($"id{i}");
            _ = new SimPeer(this, $"id{i}");
        }

        Network.Loss = Plan.Loss;
        Clock.In(Millis(0, 500), Tell);
        Clock.In(TimeSpan.FromMilliseconds(200), OnTick);
        var faults = new SimFaults(this);
        var end = Clock.Now + BusyFor;
        Clock.RunUntil(end);
        faults.Heal();
        Healed = Clock.Now;
        Phase = SimPhase.Settling;
        History.Log("healed");
        Clock.RunUntil(end += SettleFor);
        Phase = SimPhase.Quiet;
        History.Log("quiet");
        Clock.RunUntil(end + QuietFor);
        History.CheckEnd();
    }

    public void OnDied(SimProcess process)
    {
        History.OnFault();
        Clock.In(Millis(500, 3_000), () => Start(process.Slot, isFirst: false));
    }

    /// <summary>The majority takes members out.</summary>
    public void Remove(IEnumerable<SimProcess> members)
    {
        History.OnFault();
        Official = new SimView(Official.Version + 1, Official.Members.RemoveRange(members));
    }

    /// <summary>Asks the coordinator where an identity's entity is; null if there is no answer now.</summary>
    public SimProcess? TryFindHome(SimProcess asker, string identity)
    {
        var coordinator = Official.Up.MinBy(member => member.Unique.Uid);
        if (coordinator != _coordinator)
        {
            (_coordinator, _coordinatorReady) = (coordinator, Clock.Now + Millis(300, 1_000));
        }

        if (coordinator is null || Clock.Now < _coordinatorReady || !coordinator.View.Members.ContainsKey(asker)
            || !(coordinator == asker || Network.CanHear(coordinator, asker)))
        {
            return null;
        }

        if (_homes.TryGetValue(identity, out var home))
        {
            if (coordinator.View.Members.ContainsKey(home))
            {
                return _moving.Contains((identity, home)) ? null : home;
            }

            _outSince.TryAdd(home, Clock.Now);
            if (Clock.Now - _outSince[home] < DownRemovalMargin)
            {
                return null;
            }
        }

        var up = coordinator.View.Up.ToList();
        var heard = up.Count(member => member == coordinator || Network.CanHear(coordinator, member));
        if (heard * 2 <= up.Count)
        {
            return null;   // where entities are is written by a majority
        }

        home = Random.Next(2) == 0 ? up[Random.Next(up.Count)] : up.MaxBy(member => member.Unique.Uid)!;
        History.Log($"{identity} is at {home} from now on");
        _homes[identity] = home;
        home.Run(() => home.Region.Host(identity));
        return home;
    }

    /// <summary>The coordinator gives an identity to another member: the one that has it hands over what it knows.
    /// </summary>
    public void Move(string identity)
    {
        if (_coordinator is not { IsRunning: true } coordinator
            || !_homes.TryGetValue(identity, out var home) || !coordinator.View.Members.ContainsKey(home)
            || !(coordinator == home || Network.CanHear(coordinator, home)) || !_moving.Add((identity, home)))
        {
            return;
        }

        History.Log($"{identity} moves from {home}");
        History.OnMove(identity);
        foreach (var member in Running.Where(member => member == coordinator || Network.CanHear(coordinator, member)))
        {
            Clock.In(Millis(0, 10), () => member.Run(() => member.Region.BeginHandOff(identity)));
        }

        Clock.In(Millis(15, 40), () => home.Run(() => home.Region.HandOff(identity, () =>
        {
            if (_homes.GetValueOrDefault(identity) == home)
            {
                _homes.Remove(identity);
            }

            _moving.Remove((identity, home));
        })));
    }

    private void Start(int slot, bool isFirst)
    {
        var process = new SimProcess(this, slot, ++_uids);
        _all[process.Unique] = process;
        Current[slot] = process;
        History.Log($"{process} starts");
        if (!isFirst)
        {
            Clock.In(Millis(300, 1_000), () => process.Run(() => Join(process)));
        }
    }

    private void Join(SimProcess process)
    {
        var up = Official.Up.ToList();
        if (up.All(member => member.IsDead))
        {
            History.OnNewCluster();
            Official = new SimView(Official.Version + 1, ImmutableDictionary<SimProcess, FenceStanding>.Empty
                .Add(process, FenceStanding.Member));
            process.SetView(Official);
            return;
        }

        var before = Official.Members.Keys.Where(member => member.Slot == process.Slot).ToList();
        if (2 * up.Count(member => Network.CanHear(member, process)) <= up.Count)
        {
            // again later
        }
        else if (before.Count > 0)
        {
            Remove(before);   // another process has its address
            Spread();
        }
        else
        {
            Official = new SimView(
                Official.Version + 1, Official.Members.Add(process, FenceStanding.Joining));
            process.SetView(Official);
            Spread();
            return;
        }

        Clock.In(TimeSpan.FromMilliseconds(500), () => process.Run(() => Join(process)));
    }

    /// <summary>The leader knows first.</summary>
    private void Spread()
    {
        if (Official.Up.Where(static member => member.IsRunning).MaxBy(static member => member.View.Version) is { } one
            && one.View.Version < Official.Version)
        {
            one.SetView(Official);
        }
    }

    private void OnTick()
    {
        Spread();
        var members = Official.Members.Keys;
        if (Official.Members.ContainsValue(FenceStanding.Joining) && members.All(member => member.IsRunning
            && member.View.Version == Official.Version && member.Unreachable.IsEmpty))
        {
            Official = new SimView(Official.Version + 1, members.ToImmutableDictionary(
                member => member, _ => FenceStanding.Member));
            Spread();
        }

        Clock.In(TimeSpan.FromMilliseconds(200), OnTick);
    }

    private void Tell()
    {
        if (Phase == SimPhase.Quiet)
        {
            return;
        }

        if (Running.Where(member => member.IsRunning).ToList() is { Count: > 0 } running)
        {
            var teller = running[Random.Next(running.Count)];
            var identity = _identities[Random.Next(_identities.Count)];
            var told = new SimTold(++_told, teller);
            var ack = Random.Next(5) == 0 ? new SimRef(teller.Unique.Address, "asker", told) : null;
            History.OnTelling(told, isAsked: ack is not null);
            teller.Region.Route(new Tell(identity, told, ActorRefs.Nobody, ack), ActorRefs.Nobody);
        }

        Clock.In(Millis(5, 400), Tell);
    }
}

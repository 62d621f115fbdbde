using System.Collections.Immutable;
using Akka.Cluster;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Cluster.Members;
using Router.Sessions;

namespace Router.Tests.Cluster.Simulation;

/// <summary>Who is in the cluster, at a version of it.</summary>
internal sealed record SimView(long Version, ImmutableDictionary<SimProcess, FenceStanding> Members)
{
    public static readonly SimView Empty = new(0, ImmutableDictionary<SimProcess, FenceStanding>.Empty);

    public IEnumerable<SimProcess> Up =>
        from member in Members where member.Value == FenceStanding.Member orderby member.Key.Slot select member.Key;
}

/// <summary>A member's process, from its start to its death: what it knows of the others, its fence, its hub, its
/// entities and its sessions.</summary>
internal sealed class SimProcess
{
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(1);

    private readonly SimCluster _cluster;
    private readonly Dictionary<SimProcess, TimeSpan> _lastHeard = [];
    private readonly Dictionary<SimProcess, ImmutableHashSet<SimProcess>> _rows = [];
    private readonly HashSet<SimProcess> _removed = [];
    private readonly Queue<Action> _heldUp = [];
    private readonly FenceKeeper _keeper;
    private readonly MemberTable _table;
    private readonly IdentityMembers _members;
    private readonly TimeSpan _pause;
    private ImmutableHashSet<SimProcess> _unreachable = [];
    private TimeSpan _stableSince;

    public SimProcess(SimCluster cluster, int slot, int uid)
    {
        (_cluster, Slot, _pause) = (cluster, slot, TimeSpan.FromSeconds(1) + cluster.Millis(0, 400));
        Unique = new UniqueAddress(new Address("akka.tcp", "router", $"10.0.0.{slot + 1}", 27_200), uid);
        Fence = new Fence(cluster.Clock);
        _keeper = new FenceKeeper(Fence, Unique, SimPlan.FenceTimeout, NullLogger.Instance);
        _table = new MemberTable(MemberTable.TextOf(Unique.Address), cluster.Clock);
        Hub = new SimHub(cluster, this);
        _table.OnRemoved = (gone, _) =>
            cluster.Network.Local(this, (_table, Hub), () => Hub.State.OnMemberRemoved(gone.Address));
        _members = new IdentityMembers(
            (member, _) => cluster.HubOf(member), _table, Fence, cluster.Clock, SimPlan.FenceTimeout);
        Region = new SimRegion(cluster, this);
        HandOver = new SimHandOver(cluster, this);
        Every(TimeSpan.FromMilliseconds(200), OnGossip);
        Every(FenceActor.Interval, OnFence);
        Every(HubState.Tick, Hub.State.OnTick);
        Every(TimeSpan.FromMilliseconds(500), Region.OnTick);
        Every(TimeSpan.FromMilliseconds(500), OnIdleCheck);
    }

    public int Slot { get; }

    public UniqueAddress Unique { get; }

    public Place Place => new(Unique.Address, Unique.Uid);

    public Fence Fence { get; }

    public IIdentityMembers Members => _members;

    public SimHub Hub { get; }

    public SimRegion Region { get; }

    public SimHandOver HandOver { get; }

    public MemoryCheckpoints Memory { get; } = new();

    public Dictionary<(string Identity, int Endpoint), SimSession> Sessions { get; } = [];

    public SimView View { get; private set; } = SimView.Empty;

    public ImmutableHashSet<SimProcess> Unreachable => _unreachable;

    public bool IsDead => DiedAt is not null;

    public TimeSpan? DiedAt { get; private set; }

    public bool IsFrozen { get; private set; }

    public bool IsRunning => !IsDead && !IsFrozen;

    public bool MaySend => Fence.IsOpen || _cluster.Planted == Planted.IsolatedMemberSends;

    public bool Knows(SimProcess other) => !_removed.Contains(other);

    /// <summary>The same in each run: sets are walked in its order.</summary>
    public override int GetHashCode() => Unique.Uid;

    public override string ToString() => $"m{Slot}#{Unique.Uid}";

    public void Run(Action what)
    {
        if (IsFrozen)
        {
            _heldUp.Enqueue(what);
        }
        else if (!IsDead)
        {
            what();
        }
    }

    public void Every(TimeSpan interval, Action what)
    {
        void Again()
        {
            if (!IsDead)
            {
                Run(() =>
                {
                    what();
                    _cluster.Clock.In(interval, Again);
                });
            }
        }

        _cluster.Clock.In(_cluster.Millis(0, (int)interval.TotalMilliseconds), Again);
    }

    public void Kill(string why)
    {
        if (!IsDead)
        {
            _cluster.History.Log($"{this} dies: {why}");
            DiedAt = _cluster.Clock.Now;
            _cluster.OnDied(this);
        }
    }

    public void Freeze(TimeSpan time)
    {
        if (IsRunning)
        {
            _cluster.History.Log($"{this} freezes for {time.TotalMilliseconds:0} ms");
            IsFrozen = true;
            _cluster.Clock.In(time, Wake);
        }
    }

    public void SetView(SimView view)
    {
        var (before, now) = (View, view);
        View = view;
        foreach (var gone in before.Members.Keys.Where(member => !now.Members.ContainsKey(member)).ToList())
        {
            _removed.Add(gone);
            _rows.Remove(gone);
            _cluster.History.Log($"{this} removes {gone}");
            _table.Remove(gone.Unique, inOrder: false);
            HandOver.Inherited.Clear();
            Region.OnRemoved(gone);
        }

        foreach (var up in now.Up.Where(up => before.Members.GetValueOrDefault(up) != FenceStanding.Member
            || !before.Members.ContainsKey(up)))
        {
            _table.Add(up.Unique, isRouter: true);
        }

        _cluster.History.Log($"{this} knows of {string.Join(' ', now.Up)}");
        UpdateUnreachable();
    }

    private void Wake()
    {
        if (IsDead)
        {
            return;
        }

        _cluster.History.Log($"{this} wakes");
        IsFrozen = false;
        foreach (var session in Sessions.Values)
        {
            session.OnAwake();
        }

        var count = _heldUp.Count;
        while (count-- > 0 && IsRunning)
        {
            _heldUp.Dequeue()();
        }
    }

    /// <summary>Listens to heartbeats, takes what others have gossiped, decides about those that are not heard.
    /// </summary>
    private void OnGossip()
    {
        var row = ImmutableHashSet.CreateBuilder<SimProcess>();
        foreach (var other in View.Members.Keys.Where(other => other != this))
        {
            _lastHeard.TryAdd(other, _cluster.Clock.Now);
            if (_cluster.Network.CanHear(this, other) && other.Knows(this))
            {
                _lastHeard[other] = _cluster.Clock.Now;
                _cluster.Clock.In(_cluster.Millis(0, 200), () => Run(() => TakeGossip(other)));
            }
            else if (_cluster.Clock.Now - _lastHeard[other] > _pause)
            {
                row.Add(other);
            }
        }

        _rows[this] = row.ToImmutable();
        UpdateUnreachable();
        if (_unreachable.Count > 0 && _cluster.Clock.Now - _stableSince >= StableAfter)
        {
            Decide();
        }
    }

    private void TakeGossip(SimProcess other)
    {
        if (!_cluster.Network.AreConnected(this, other) || !View.Members.ContainsKey(other) || !other.Knows(this))
        {
            return;
        }

        if (other.View.Version > View.Version && other.View.Members.ContainsKey(this))
        {
            SetView(other.View);
        }

        if (other._rows.TryGetValue(other, out var row))
        {
            _rows[other] = row;
        }

        UpdateUnreachable();
    }

    private void UpdateUnreachable()
    {
        var now = View.Members.Keys.SelectMany(member => _rows.GetValueOrDefault(member) ?? [])
            .Where(member => member != this && View.Members.ContainsKey(member)).ToImmutableHashSet();
        if (now.SetEquals(_unreachable))
        {
            return;
        }

        _stableSince = _cluster.Clock.Now;
        var before = _unreachable;
        _unreachable = now;
        _cluster.History.Log($"{this} does not hear of {string.Join(' ', now)}");
        foreach (var member in View.Members.Keys.Where(member => now.Contains(member) != before.Contains(member)))
        {
            _table.SetUnreachable(member.Unique, now.Contains(member));
        }
    }

    /// <summary>As keep-majority does.</summary>
    private void Decide()
    {
        var up = View.Up.ToList();
        var reachable = up.Where(member => !_unreachable.Contains(member)).ToList();
        var isMajority = (2 * reachable.Count) > up.Count
            || ((2 * reachable.Count) == up.Count && reachable.Contains(up[0]));
        if (!isMajority)
        {
            Kill("no majority");
        }
        else if (!_cluster.Official.Members.ContainsKey(this)
            && _cluster.Official.Up.Any(member => _cluster.Network.CanHear(this, member)))
        {
            Kill("others have removed it");
        }
        else if (View.Version == _cluster.Official.Version)
        {
            _cluster.Remove(_unreachable);
            SetView(_cluster.Official);
        }
    }

    private void OnFence()
    {
        _keeper.Look([.. View.Members.Select(member => new FenceVoter(member.Key.Unique, member.Value))]);
        foreach (var other in View.Members.Keys.Where(other => other != this).OrderBy(other => other.Slot))
        {
            var sent = _keeper.Now;
            _cluster.Network.Send(this, other, () => other.OnPing(this, sent), isLossy: false);
        }
    }

    private void OnPing(SimProcess from, long sent)
    {
        if (View.Members.ContainsKey(this) && View.Members.ContainsKey(from) && !_unreachable.Contains(from)
            && _keeper.MayAnswer())
        {
            _cluster.Network.Send(this, from, () => from._keeper.Hear(Unique, sent), isLossy: false);
        }
    }

    private void OnIdleCheck()
    {
        foreach (var session in Sessions.Values.ToList())
        {
            session.OnCheck();
        }
    }
}

using Router.Sessions;

namespace Router.Tests.Cluster.Simulation;

/// <summary>A session of a peer at a member, which counts datagrams: does what <see cref="SessionIdentity"/> does.
/// </summary>
internal sealed class SimSession
{
    private const int WaitingMax = 32;

    private readonly SimCluster _cluster;
    private readonly Queue<int> _waiting = [];
    private readonly Queue<(long Counter, long Revision)> _held = [];
    private readonly SimRef _ref;
    private readonly TimeSpan _asked;
    private TimeSpan _awakeSince;
    private TimeSpan _heard;
    private TimeSpan? _sentAt;
    private long _revisionSent;
    private long _revisionAttached;
    private TimeSpan _countedAt;
    private bool _isDue;
    private bool _holdsReplies;

    public SimSession(SimCluster cluster, SimProcess process, SimPeer peer, int endpoint, SessionId id)
    {
        (_cluster, Process, Peer, Endpoint, Id) = (cluster, process, peer, endpoint, id);
        _ref = new SimRef(process.Unique.Address, $"session-{id.Low}", this);
        _asked = _awakeSince = _heard = cluster.Clock.Now;
        cluster.History.Log($"{this} opens");
        var attach = new AttachSession(
            _ref, id, peer.Identity, $"{endpoint}", (int)SimPlan.AttachTimeout.TotalMilliseconds);
        ToHub(() => Process.Hub.State.On(attach));
    }

    public SimProcess Process { get; }

    public SimPeer Peer { get; }

    public int Endpoint { get; }

    public SessionId Id { get; }

    public long Epoch { get; private set; }

    public long Counter { get; private set; }

    public long Revision { get; private set; }

    public bool IsAttached => Epoch > 0;

    public bool IsClosed { get; private set; }

    public override string ToString() => $"{Process} {Peer.Identity} s{Id.Low}";

    public void Receive(int datagram)
    {
        _heard = _cluster.Clock.Now;
        if (IsAttached)
        {
            Count();
        }
        else if (_waiting.Count < WaitingMax)
        {
            _waiting.Enqueue(datagram);
        }
    }

    public void OnMessage(IdentityMessage message)
    {
        if (IsClosed)
        {
            if (message is IdentityTold late)
            {
                _cluster.History.OnToldTooLate((SimTold)late.Message);
            }

            return;
        }

        switch (message)
        {
            case IdentityAttached attached when !IsAttached:
                OnAttached(attached);
                break;
            case IdentityEpoch changed:
                _cluster.History.OnEpoch(this, changed.Epoch);
                Epoch = changed.Epoch;
                break;
            case IdentityUnattached when !IsAttached:
                _cluster.History.OnUnattached(this);
                Close("unattached");
                break;
            case IdentitySuperseded superseded when _cluster.Planted != Planted.SessionGoesOnWhenSuperseded:
                Close($"superseded by {superseded.By}");
                break;
            case CheckpointKept kept:
                OnKept(kept);
                break;
            case CheckpointDue:
                _isDue = false;
                if (Revision > _revisionSent)
                {
                    Save();
                }

                break;
            case IdentityTold told:
                _cluster.History.OnTold(this, (SimTold)told.Message);
                Send(null);
                break;
            default:
                break;
        }
    }

    /// <summary>Looks at the clock.</summary>
    public void OnCheck()
    {
        var now = _cluster.Clock.Now;
        if (now - _heard > _cluster.Plan.IdleTimeout)
        {
            Close("idle");
        }
        else if (!IsAttached)
        {
            _cluster.History.Check(
                now - _awakeSince < SimPlan.AttachTimeout + TimeSpan.FromSeconds(1),
                $"attach in time: {this} has asked at {_asked.TotalSeconds:0.000}, and there is no end");
        }
    }

    public void OnAwake() => _awakeSince = _cluster.Clock.Now;

    private void OnAttached(IdentityAttached attached)
    {
        Epoch = attached.Epoch;
        Revision = _revisionSent = _revisionAttached = attached.Revision;
        var state = SimState.Read(attached.State.Span);
        Counter = state.Counter;
        _cluster.History.OnAttached(this, state);
        while (_waiting.TryDequeue(out _) && !IsClosed)
        {
            Count();
        }
    }

    private void Count()
    {
        Counter++;
        Revision++;
        _countedAt = _cluster.Clock.Now;
        _cluster.History.OnCounted(this);
        var wait = _cluster.Plan.IsSync || _sentAt is null
            ? TimeSpan.Zero
            : _sentAt.Value + _cluster.Plan.Interval - _cluster.Clock.Now;
        if (wait <= TimeSpan.Zero)
        {
            Save();
        }
        else if (!_isDue)
        {
            _isDue = true;
            _cluster.Clock.In(wait, () => Process.Run(() => OnMessage(CheckpointDue.Instance)));
        }

        if (_holdsReplies)
        {
            _held.Enqueue((Counter, Revision));
        }
        else
        {
            Send(Counter);
        }
    }

    private void Save()
    {
        _sentAt = _cluster.Clock.Now;
        _revisionSent = Revision;
        _holdsReplies = _cluster.Plan.IsSync;
        var save = new SaveCheckpoint(Id, Revision, State(), _cluster.Plan.IsSync);
        ToHub(() => Process.Hub.State.On(save));
    }

    private void OnKept(CheckpointKept kept)
    {
        _holdsReplies = kept.Revision < _revisionSent;
        while (_held.TryPeek(out var reply) && reply.Revision <= kept.Revision)
        {
            _held.Dequeue();
            if (kept.IsKept)
            {
                Send(reply.Counter);
            }
        }
    }

    /// <param name="counter">Null for what answers no datagram.</param>
    private void Send(long? counter)
    {
        if (Process.MaySend)
        {
            _cluster.History.OnSent(this, counter);
            Peer.OnReply();
        }
    }

    private void Close(string why)
    {
        if (IsClosed)
        {
            return;
        }

        _cluster.History.Log($"{this} closes: {why}, counter {Counter}");
        IsClosed = true;
        Process.Sessions.Remove((Peer.Identity, Endpoint));
        var isNew = Revision > _revisionAttached;
        var ended = new EndSession(Id, isNew ? Revision : 0, isNew ? State() : default);
        ToHub(() => Process.Hub.State.On(ended));
    }

    private ReadOnlyMemory<byte> State() => new SimState(Counter, Id.Low, _countedAt).ToBytes();

    private void ToHub(Action what) => _cluster.Network.Local(Process, (this, Process.Hub), what);
}

/// <summary>A checkpoint.</summary>
/// <param name="Counter">Datagrams so far.</param>
/// <param name="Maker">Which session made it; 0 for none.</param>
/// <param name="At">When it did.</param>
internal readonly record struct SimState(long Counter, ulong Maker, TimeSpan At)
{
    public static SimState Read(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? default : new SimState(
        BitConverter.ToInt64(bytes),
        BitConverter.ToUInt64(bytes[8..]),
        new TimeSpan(BitConverter.ToInt64(bytes[16..])));

    public byte[] ToBytes() =>
        [.. BitConverter.GetBytes(Counter), .. BitConverter.GetBytes(Maker), .. BitConverter.GetBytes(At.Ticks)];
}

/// <summary>What is told to an identity.</summary>
internal sealed record SimTold(int Number, SimProcess Teller)
{
    public override string ToString() => $"#{Number} of {Teller}";
}

using Router.Listeners;
using Router.Sessions;

namespace Router.Running;

/// <summary>What a bound address is doing.</summary>
internal enum BindState
{
    Serving,

    /// <summary>A reload took it away: its sessions finish.</summary>
    Draining,

    /// <summary>It was told to stop; its address is free once every shard has.</summary>
    Stopping,
}

/// <summary>An address at work, with its shards. Known by what was asked for, transport and address, whichever listener
/// has it.</summary>
internal sealed class RunningBind(BoundListener bound, IReadOnlyList<Shard> shards)
{
    private readonly HashSet<Shard> _stopped = [];

    public BoundListener Bound => bound;

    public IReadOnlyList<Shard> Shards => shards;

    public BindRequest Request => bound.Request;

    /// <summary>The listener it serves now.</summary>
    public string Listener { get; set; } = bound.Request.Listener;

    public BindState State { get; set; }

    /// <summary>By when what drains must have ended; a timestamp of the router's clock.</summary>
    public long DrainStarted { get; set; }

    /// <summary>Sessions open when it was taken away.</summary>
    public int SessionsAtRemoval { get; set; }

    /// <summary>Sessions that were left when it was told to stop.</summary>
    public int SessionsAtStop { get; set; }

    public int Sessions => shards.Sum(static shard => Volatile.Read(ref shard.SessionsOpen));

    /// <summary>It was stopped from outside the router: no reload took it away.</summary>
    public bool IsLost { get; set; }

    /// <summary>Shards that run, or are about to stop.</summary>
    public IReadOnlySet<Shard> Left => shards.Where(shard => !_stopped.Contains(shard)).ToHashSet();

    public bool HasStopped => _stopped.Count == shards.Count;

    /// <summary>Its port is still held although it serves nobody new: by a stop or a drain that has not come to every
    /// loop.</summary>
    public bool IsLetGo => State != BindState.Serving && !shards.All(static shard => shard.IsSocketClosed);

    /// <summary>Whether a listener that asks for this address gets this very socket. A port of 0 is the listener's
    /// own.</summary>
    public bool Serves(BindRequest request) =>
        (State == BindState.Serving || (State == BindState.Draining && request.Transport.IsConnectionless()))
        && IsAt(request)
        && (request.Address.Port != 0 || request.Address.IsUnix || Listener == request.Listener);

    public bool IsAt(BindRequest request) =>
        request.Transport == Request.Transport && request.Address == Request.Address;

    public void OnStopped(Shard shard) => _stopped.Add(shard);
}

using Router.Listeners;
using Router.Sessions;

namespace Router.Running;

internal enum BindState
{
    Serving,

    /// <summary>A reload removed it: its sessions finish.</summary>
    Draining,

    /// <summary>It was told to stop; its address is free once every shard has stopped.</summary>
    Stopping,
}

/// <summary>A bound address with its shards. A reload knows it again by transport and address, and may give it to
/// another listener.</summary>
internal sealed class RunningBind(BoundListener bound, IReadOnlyList<Shard> shards)
{
    private readonly HashSet<Shard> _stopped = [];

    public BoundListener Bound => bound;

    public IReadOnlyList<Shard> Shards => shards;

    public BindRequest Request => bound.Request;

    /// <summary>The listener that has it now.</summary>
    public string Listener { get; set; } = bound.Request.Listener;

    public BindState State { get; set; }

    /// <summary>An operator drains it, until it is resumed.</summary>
    public bool IsDrained { get; set; }

    /// <summary>A timestamp of the router's clock.</summary>
    public long DrainStarted { get; set; }

    /// <summary>Sessions open when it was removed.</summary>
    public int SessionsAtRemoval { get; set; }

    /// <summary>Sessions that were left when it was told to stop.</summary>
    public int SessionsAtStop { get; set; }

    public int Sessions => shards.Sum(static shard => Volatile.Read(ref shard.SessionsOpen));

    /// <summary>It was stopped from outside the router, not by a reload.</summary>
    public bool IsLost { get; set; }

    public IReadOnlySet<Shard> Left => shards.Where(shard => !_stopped.Contains(shard)).ToHashSet();

    public bool HasStopped => _stopped.Count == shards.Count;

    /// <summary>It takes nobody new, but its port is still bound, because a stop or a drain has not reached every loop.
    /// </summary>
    public bool IsReleasing => State != BindState.Serving && !shards.All(static shard => shard.IsSocketClosed);

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

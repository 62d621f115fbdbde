namespace Router.Listeners;

/// <summary>What a listener's supervisor starts: one actor per shard.</summary>
/// <param name="Name">Of the actor: the loop's index, after the bind's where a listener has several.</param>
/// <param name="Props">Of a UdpListener or TcpListener on its loop's dispatcher.</param>
internal sealed record ShardStart(string Name, Props Props);

/// <summary>Supervises one listener's shards: a failed one is restarted with its socket and sessions; the others go on.</summary>
internal sealed class ListenerSupervisor : UntypedActor
{
    private readonly IReadOnlyList<ShardStart> _shards;

    public ListenerSupervisor(IReadOnlyList<ShardStart> shards) => _shards = shards;

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(static _ => Directive.Restart);

    protected override void PreStart()
    {
        foreach (var shard in _shards)
        {
            Context.ActorOf(shard.Props, shard.Name);
        }
    }

    /// <summary>Shards and their sockets live on if this actor fails.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
    }

    protected override void PostRestart(Exception reason)
    {
    }

    protected override void OnReceive(object message)
    {
        if (message is not DrainListener)
        {
            Unhandled(message);
            return;
        }

        foreach (var shard in Context.GetChildren())
        {
            shard.Tell(message);
        }
    }
}

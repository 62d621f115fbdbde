using System.Net;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Sessions;

namespace Router.TestKit;

/// <summary>
/// Limits of a listener's sessions in a test. The defaults are those of reference.conf, except the idle timeout: 30 s.
/// </summary>
public sealed record ListenerLimits
{
    /// <summary>Silence that ends a session; <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence of the peer alone that ends a session; <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan PeerIdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Age that ends a session; <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    public TimeSpan MaxLifetime { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Sessions that may be open at once; a peer beyond is refused.</summary>
    public int MaxSessions { get; init; } = 100_000;

    /// <summary>Payloads that may wait for a session that cannot take them.</summary>
    public int MailboxMessages { get; init; } = 1_024;

    /// <summary>The same in bytes.</summary>
    public int MailboxBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes a stream session may hold unsent before its reading stops; also the most read at once.</summary>
    public int WriteBuffer { get; init; } = 64 * 1024;

    /// <summary>Restarts within <see cref="RestartWindow"/> before the session closes as failed.</summary>
    public int MaxRestarts { get; init; } = 5;

    /// <summary>The time in which restarts are counted.</summary>
    public TimeSpan RestartWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Handlers run beside the loop, as on the thread pool: still on the test's thread, between the loop's passes.
    /// </summary>
    public bool OnPool { get; init; }

    /// <summary>SO_RCVBUF, bytes; 0 is the network's default.</summary>
    public int ReceiveBuffer { get; init; }

    /// <summary>Connections that may wait to be accepted.</summary>
    public int Backlog { get; init; } = 1_024;

    /// <summary>On [::]: IPv4 too.</summary>
    public bool DualStack { get; init; }

    /// <summary>How its sessions come by an identity: the listener's keys as its configuration has them, from
    /// <c>identity</c> to <c>checkpoint-sync</c>: <c>"identity { offset = 0, length = 8 }, checkpoint-sync = on"</c>.
    /// Null for none. See <see cref="RouterTestKit.Cluster"/>.</summary>
    public string? Identity { get; init; }

    internal SessionSocket Socket { get; init; }

    /// <summary>The listener's name, where it must be that of another one too; null for one of its own.</summary>
    internal string? Name { get; init; }

    internal StraySettings? Strays { get; init; }

    /// <summary>SO_RCVBUF of a session's own socket, bytes; 0 is the network's default.</summary>
    internal int SessionReceiveBuffer { get; init; }

    internal SessionSettings ToSettings() => new(
        Milliseconds(IdleTimeout),
        Milliseconds(MaxLifetime),
        MaxSessions,
        MailboxMessages,
        MailboxBytes,
        WriteBuffer,
        MaxRestarts,
        RestartWindow,
        OnPool,
        Socket,
        SessionReceiveBuffer,
        Milliseconds(PeerIdleTimeout),
        IdentityKeys.Read(Identity),
        Strays);

    private static int Milliseconds(TimeSpan time) =>
        time == Timeout.InfiniteTimeSpan ? 0 : (int)time.TotalMilliseconds;
}

/// <summary>A listener at work in a <see cref="RouterTestKit"/>: the real one, on simulated sockets.</summary>
public sealed class KitListener
{
    internal KitListener(BoundListener bound, IReadOnlyList<Shard> shards, IActorRef actor)
    {
        Shards = shards;
        Actor = actor;
        Name = bound.Request.Listener;
        EndPoint = bound.Address.ToIPEndPoint();
    }

    /// <summary>The listener's name, as in logs.</summary>
    public string Name { get; }

    /// <summary>Where it is bound; of a unix socket nothing.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>The actor over its shards.</summary>
    public IActorRef Actor { get; }

    /// <summary>Sessions open now.</summary>
    public int Sessions => Shards.Sum(static shard => shard.SessionsOpen);

    /// <summary>Payloads that peers have sent, dropped ones too, since the start.</summary>
    public long PayloadsReceived => Shards.Sum(static shard => shard.Counters.PayloadsIn);

    /// <summary>Payloads that sessions have sent to their peers since the start.</summary>
    public long PayloadsSent => Shards.Sum(static shard => shard.Counters.PayloadsOut);

    /// <summary>Handlers that were replaced after a failure since the start.</summary>
    public long Restarts => Shards.Sum(static shard => shard.Counters.Restarts);

    internal IReadOnlyList<Shard> Shards { get; }

    internal SocketAddr Address => Shards[0].Address;

    /// <summary>Payloads, or connections, discarded for a reason since the start.</summary>
    public long Drops(DropReason reason) => Shards.Sum(shard => shard.Counters.Drops[reason]);

    /// <summary>The same over all reasons.</summary>
    public long AllDrops() => Enum.GetValues<DropReason>().Sum(Drops);

    /// <summary>Takes no new sessions and has those end that can.</summary>
    public void Drain() => Actor.Tell(new DrainListener(), ActorRefs.NoSender);
}

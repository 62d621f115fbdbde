using Router.Admission;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>A loop, with what its sessions share.</summary>
/// <param name="Loop">The loop.</param>
/// <param name="Ids">Makes the ids of its sessions.</param>
/// <param name="SpareSessions">Its spare sessions.</param>
/// <param name="Dispatcher">The id of the dispatcher that puts actors on it.</param>
internal sealed record LoopResources(IoLoop Loop, SessionIdSource Ids, SpareSessions SpareSessions, string Dispatcher);

/// <summary>What all of a router's listeners share.</summary>
internal sealed record ListenerEnvironment(
    IReadOnlyList<LoopResources> Loops,
    PeerGuard Guard,
    RandomSource Random,
    ISessionEvents SessionEvents,
    IListenerEvents ListenerEvents,
    string PoolDispatcher,
    IActorRef? Hub = null)
{
    /// <summary>The fence that a listener's sessions may only send through, by their settings; null for none.</summary>
    public Func<SessionSettings, Fence?> FenceOf { get; init; } = static _ => null;

    /// <summary>What relays datagrams between members of a cluster, of a loop; null without one.</summary>
    public Func<IoLoop, IStrayRelay?> RelayOf { get; init; } = static _ => null;

    /// <summary>The router's; null for none.</summary>
    public SessionTraces? Traces { get; init; }
}

/// <summary>Makes a listener's shards and the recipes of their actors.</summary>
internal static class ListenerFactory
{
    /// <summary>One shard per bound socket: per address and loop, but for unixgram addresses, which have one.</summary>
    /// <param name="bound">The listener's addresses, bound on every loop; the shards own the sockets from here
    /// on.</param>
    /// <param name="configuration">The listener's.</param>
    /// <param name="environment">What all listeners share.</param>
    /// <param name="shards">In the order of <paramref name="bound"/> and of its sockets.</param>
    public static IReadOnlyList<BranchChild> Create(
        IReadOnlyList<BoundListener> bound,
        ShardConfiguration configuration,
        ListenerEnvironment environment,
        out IReadOnlyList<Shard> shards)
    {
        var made = new List<Shard>();
        var starts = new List<BranchChild>();
        for (var bind = 0; bind < bound.Count; bind++)
        {
            for (var socket = 0; socket < bound[bind].Sockets.Count; socket++)
            {
                var loop = environment.Loops[LoopOf(bound[bind], socket, environment.Loops.Count)];
                var name = bound.Count == 1 ? $"{loop.Loop.Index}" : $"{bind}.{loop.Loop.Index}";
                var (shard, type) = CreateShard(bound[bind], loop, socket, configuration, environment);
                var dispatcher = configuration.Settings.OnPool ? environment.PoolDispatcher : loop.Dispatcher;

                // Holds the shard itself: an actor that is restarted goes on with the same one.
                var props = Props.Create(
                    type, shard, bound[bind].Request, environment.ListenerEvents, dispatcher);
                made.Add(shard);
                starts.Add(new BranchChild(name, props.WithDispatcher(loop.Dispatcher)));
            }
        }

        shards = made;
        return starts;
    }

    /// <summary>Addresses that have one socket are spread over the loops.</summary>
    private static int LoopOf(BoundListener bound, int socket, int loops) =>
        bound.Request.Transport == SessionTransport.Unixgram ? (int)(bound.Address.Word1 % (ulong)loops) : socket;

    private static (Shard Shard, Type Listener) CreateShard(
        BoundListener bound,
        LoopResources loop,
        int socket,
        ShardConfiguration configuration,
        ListenerEnvironment environment)
    {
        var setup = new ShardSetup(
            configuration, loop.Loop, loop.Ids, loop.SpareSessions, environment.Random, environment.SessionEvents,
            SharesPort: bound.Sockets.Count > 1, environment.Hub,
            bound.Request.Transport == SessionTransport.Udp ? environment.RelayOf(loop.Loop) : null,
            environment.Traces);
        return bound.Sockets[socket] is DatagramSocket datagrams
            ? (new UdpShard(setup, environment.Guard, datagrams), typeof(UdpListener))
            : (new TcpShard(setup, (StreamListener)bound.Sockets[socket]), typeof(TcpListener));
    }
}

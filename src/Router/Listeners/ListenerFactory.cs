using Router.Admission;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>A loop as listeners use it.</summary>
/// <param name="Loop">The loop.</param>
/// <param name="Ids">Makes the ids of its sessions.</param>
/// <param name="SpareSessions">Its spare sessions.</param>
/// <param name="Dispatcher">The id under which actors are put on it.</param>
internal sealed record LoopResources(IoLoop Loop, SessionIdSource Ids, SpareSessions SpareSessions, string Dispatcher);

/// <summary>What all of a router's listeners share.</summary>
internal sealed record ListenerEnvironment(
    IReadOnlyList<LoopResources> Loops,
    PeerGuard Guard,
    RandomSource Random,
    ISessionEvents SessionEvents,
    IListenerEvents ListenerEvents,
    string PoolDispatcher);

/// <summary>Makes a listener's shards and the recipes of their actors.</summary>
internal static class ListenerFactory
{
    /// <summary>One shard per bound socket: per address and loop, but for unixgram addresses, which have one.</summary>
    /// <param name="bound">The listener's addresses, bound on every loop; the shards own the sockets from here
    /// on.</param>
    /// <param name="terms">What they go by.</param>
    /// <param name="environment">What all listeners share.</param>
    /// <param name="shards">In the order of <paramref name="bound"/> and of its sockets.</param>
    public static IReadOnlyList<BranchChild> Create(
        IReadOnlyList<BoundListener> bound,
        ShardTerms terms,
        ListenerEnvironment environment,
        out IReadOnlyList<Shard> shards)
    {
        var made = new List<Shard>();
        var starts = new List<BranchChild>();
        for (var bind = 0; bind < bound.Count; bind++)
        {
            for (var socket = 0; socket < bound[bind].Sockets.Count; socket++)
            {
                var loop = LoopOf(bound[bind], socket, environment.Loops.Count);
                var name = bound.Count == 1 ? $"{loop}" : $"{bind}.{loop}";
                var (shard, props) = CreateShard(
                    bound[bind], environment.Loops[loop], socket, terms, environment);
                made.Add(shard);
                starts.Add(new BranchChild(name, props));
            }
        }

        shards = made;
        return starts;
    }

    /// <summary>Addresses that have one socket are spread over the loops.</summary>
    private static int LoopOf(BoundListener bound, int socket, int loops) =>
        bound.Request.Transport == SessionTransport.Unixgram ? (int)(bound.Address.Word1 % (ulong)loops) : socket;

    private static (Shard Shard, Props Props) CreateShard(
        BoundListener bound,
        LoopResources loop,
        int socket,
        ShardTerms terms,
        ListenerEnvironment environment)
    {
        var request = bound.Request;
        var sharesPort = bound.Sockets.Count > 1;
        var dispatcher = terms.Settings.OnPool ? environment.PoolDispatcher : loop.Dispatcher;
        var setup = new ShardSetup(
            terms, loop.Loop, loop.Ids, loop.SpareSessions, environment.Random, environment.SessionEvents);
        if (request.Transport.IsConnectionless())
        {
            var udp = new UdpShard(setup, environment.Guard, (DatagramSocket)bound.Sockets[socket])
            {
                SharesPort = sharesPort,
            };
            var producer = new Producer<UdpListener>(
                () => new UdpListener(udp, request, environment.ListenerEvents, dispatcher));
            return (udp, Props.CreateBy(producer).WithDispatcher(loop.Dispatcher));
        }

        var tcp = new TcpShard(setup, (StreamListener)bound.Sockets[socket]) { SharesPort = sharesPort };
        var tcpProducer = new Producer<TcpListener>(
            () => new TcpListener(tcp, request, environment.ListenerEvents, dispatcher));
        return (tcp, Props.CreateBy(tcpProducer).WithDispatcher(loop.Dispatcher));
    }

    /// <summary>A closure as a producer: the shard must be the same object after a restart.</summary>
    private sealed class Producer<T>(Func<T> create) : IIndirectActorProducer
        where T : ActorBase
    {
        public Type ActorType => typeof(T);

        public ActorBase Produce() => create();

        public void Release(ActorBase actor)
        {
        }
    }
}

using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>An address to bind for a listener.</summary>
/// <param name="Listener">Its name, as configured.</param>
/// <param name="Transport">The transport.</param>
/// <param name="Address">Port 0: the kernel picks one, the same for all loops.</param>
/// <param name="ReceiveBuffer">Bytes asked for; datagrams only.</param>
/// <param name="SendBuffer">Bytes asked for; datagrams only.</param>
/// <param name="Backlog">Connections that may wait per loop, or at a unix socket over all loops; not for
/// datagrams.</param>
/// <param name="DualStack">Whether [::] takes IPv4 too.</param>
/// <param name="JoinedBySessions">Sessions will have sockets of their own on this port, which must not get other peers'
/// datagrams.</param>
/// <param name="File">Who may use a unix socket.</param>
/// <param name="KeepAlive">For TCP connections; null for the system's own rule.</param>
internal sealed record BindRequest(
    string Listener,
    SessionTransport Transport,
    SocketAddr Address,
    int ReceiveBuffer,
    int SendBuffer,
    int Backlog,
    bool DualStack,
    bool JoinedBySessions = false,
    UnixFileOptions? File = null,
    KeepAliveOptions? KeepAlive = null)
{
    public override string ToString() => TextOf(Address);

    /// <summary>An address of this request as the configuration spells it: <c>udp://127.0.0.1:53</c>,
    /// <c>unix:///run/app.sock</c>.</summary>
    public string TextOf(in SocketAddr address) =>
        $"{Transport.Scheme()}://{(address.IsUnix ? UnixAddress.NameOf(address) : address.ToString())}";
}

internal sealed record BindFault(BindRequest Request, Errno Errno);

/// <summary>An address with a bound socket per loop; a unixgram address has one socket, on one loop. Whoever starts a
/// listener on it owns the sockets.</summary>
internal sealed record BoundListener(BindRequest Request, IReadOnlyList<IoSocket> Sockets)
{
    /// <summary>The port decided.</summary>
    public SocketAddr Address => Sockets[0].LocalAddress;
}

/// <summary>Binds all listeners before any of them starts, so that a router that cannot serve everything serves
/// nothing.
/// </summary>
internal static class ListenerBinder
{
    /// <returns>Every request, bound on every loop; if anything failed, nothing is left open and
    /// <paramref name="faults"/> names every failure.</returns>
    public static IReadOnlyList<BoundListener> BindAll(
        INetwork network, int loops, IEnumerable<BindRequest> requests, out IReadOnlyList<BindFault> faults)
    {
        var bound = new List<BoundListener>();
        var failed = new List<BindFault>();
        foreach (var request in requests)
        {
            var result = BindGroup(network, loops, request, out var sockets);
            if (result < 0)
            {
                failed.Add(new BindFault(request, (Errno)(-result)));
            }
            else
            {
                bound.Add(new BoundListener(request, sockets));
            }
        }

        faults = failed;
        if (failed.Count == 0)
        {
            return bound;
        }

        foreach (var socket in bound.SelectMany(listener => listener.Sockets))
        {
            socket.Dispose();
        }

        return [];
    }

    /// <summary>Binds one socket: alone, the first of a group (SO_REUSEPORT), or one that joins it.</summary>
    public static int Bind(
        INetwork network,
        BindRequest request,
        in SocketAddr address,
        bool makeGroup,
        bool joinGroup,
        out IoSocket? socket)
    {
        int result;
        if (request.Transport.IsConnectionless())
        {
            var options = new DatagramOptions(
                request.ReceiveBuffer, request.SendBuffer, request.DualStack, makeGroup, joinGroup, request.File);
            result = network.BindDatagram(address, options, out var datagram);
            socket = datagram;
        }
        else
        {
            var options = new StreamListenOptions(
                request.Backlog, request.DualStack, makeGroup, joinGroup, request.File, request.KeepAlive);
            result = network.Listen(address, options, out var stream);
            socket = stream;
        }

        return result;
    }

    private static int BindGroup(INetwork network, int loops, BindRequest request, out List<IoSocket> sockets)
    {
        sockets = [];
        var address = request.Address;
        if (request.Transport == SessionTransport.Unixgram)
        {
            loops = 1;
        }

        for (var loop = 0; loop < loops; loop++)
        {
            var result = Bind(
                network, request, address, makeGroup: MakesGroup(request, loops) && loop == 0, joinGroup: loop > 0,
                out var socket);
            if (result < 0)
            {
                sockets.ForEach(open => open.Dispose());
                return result;
            }

            sockets.Add(socket!);
            address = socket!.LocalAddress;
        }

        var fixedResult = request.JoinedBySessions ? network.FixShards([.. sockets.Cast<DatagramSocket>()]) : 0;
        if (fixedResult < 0)
        {
            sockets.ForEach(static open => open.Dispose());
            return fixedResult;
        }

        // What came while the group grew may lie with another shard than the one that the peer's datagrams go to from
        // now on. It is discarded, since the peer would have two sessions.
        if (sockets.Count > 1)
        {
            sockets.OfType<DatagramSocket>().ToList().ForEach(static socket => socket.Discard());
        }

        return 0;
    }

    private static bool MakesGroup(BindRequest request, int loops) => loops > 1 || request.JoinedBySessions;
}

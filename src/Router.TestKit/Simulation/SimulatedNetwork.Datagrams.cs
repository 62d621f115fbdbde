using System.Runtime.InteropServices;
using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>A place that datagrams can be delivered to: a router's socket, or a peer of a test.</summary>
internal interface IDatagramPort
{
    /// <summary>Bytes are the receiver's to keep. Addresses are canonical.</summary>
    /// <returns>False if the receiver has no room, or hears only another sender.</returns>
    bool Deliver(in SocketAddr from, in SocketAddr to, byte[] payload);

    /// <summary>What this one sent to <paramref name="to"/> met nobody: the ICMP message.</summary>
    void OnRefused(in SocketAddr to);
}

/// <summary>Datagrams: who has bound what, and how they get there.</summary>
internal sealed partial class SimulatedNetwork
{
    private readonly Dictionary<SocketAddr, List<IDatagramPort>> _ports = [];
    private SimulatedPeerSocket? _unconnected;

    public int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        socket = null;
        var error = Faults.Next(NetworkOperation.BindDatagram);
        var address = local is { Port: 0, IsUnix: false } ? SocketAddr.From(local.Address, NextPort()) : local;
        if (error == Errno.Success && !options.JoinGroup && IsBound(address))
        {
            error = Errno.EADDRINUSE;
        }

        Trace("bind", 0, (int)error);
        if (error != Errno.Success)
        {
            return FailureOf(error);
        }

        var bound = new SimulatedDatagramSocket(this, address, options);
        AddPort(Canonical(address), bound);
        socket = bound;
        return 0;
    }

    public int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0)
    {
        socket = null;
        var error = Faults.Next(NetworkOperation.ConnectDatagram);
        if (remote.IsUnix && error == Errno.Success)
        {
            error = remote.UnixType != UnixSocketType.Datagram ? Errno.EAFNOSUPPORT
                : IsBound(remote) ? Errno.Success
                : Errno.ECONNREFUSED;
        }

        Trace("connect-datagram", 0, (int)error);
        if (error != Errno.Success)
        {
            return FailureOf(error);
        }

        var connected = new SimulatedConnectedDatagramSocket(
            this, NewLocalAddress(remote), Canonical(remote), receiveBuffer);
        AddPort(connected.LocalAddress, connected);
        socket = connected;
        return 0;
    }

    public bool SupportsPeerSockets => true;

    /// <summary>
    /// Runs between the bind and the connect of each session's own socket: what is sent to the listener's address
    /// meanwhile comes to that socket, as on a system where nothing keeps it from there.
    /// </summary>
    public Action? BetweenBindAndConnect { get; set; }

    public int OpenPeer(in SocketAddr local, in SocketAddr peer, out PeerSocket? socket, int receiveBuffer = 0)
    {
        socket = null;
        var error = Faults.Next(NetworkOperation.ConnectDatagram);
        Trace("open-peer", 0, (int)error);
        if (error != Errno.Success)
        {
            return FailureOf(error);
        }

        var address = local.Port == 0 ? SocketAddr.From(local.Address, NextPort()) : local;
        if (address.IsWildcard)
        {
            address = SocketAddr.From(NewLocalAddress(Canonical(peer)).Address, address.Port);
        }

        var own = new SimulatedPeerSocket(this, address, Canonical(peer), receiveBuffer);
        AddPort(Canonical(address), own);
        _unconnected = own;
        BetweenBindAndConnect?.Invoke();
        _unconnected = null;
        own.IsConnected = true;
        socket = own;
        return 0;
    }

    public int FixShards(IReadOnlyList<DatagramSocket> shards) => 0;

    public int FollowDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0)
    {
        var result = ConnectDatagram(remote, out socket, receiveBuffer);
        if (socket is SimulatedConnectedDatagramSocket following)
        {
            following.Follows = true;
        }

        return result;
    }

    internal bool IsBound(in SocketAddr address) => _ports.ContainsKey(Canonical(address));

    internal void AddPort(in SocketAddr address, IDatagramPort port)
    {
        ref var ports = ref CollectionsMarshal.GetValueRefOrAddDefault(_ports, address, out _);
        (ports ??= []).Add(port);
    }

    internal void RemovePort(in SocketAddr address, IDatagramPort port)
    {
        if (_ports.TryGetValue(address, out var ports) && ports.Remove(port) && ports.Count == 0)
        {
            _ports.Remove(address);
        }
    }

    /// <summary>Puts a datagram on its way; the bytes are copied.</summary>
    internal void SendDatagram(IDatagramPort sender, SocketAddr from, SocketAddr to, ReadOnlySpan<byte> payload)
    {
        Trace("datagram", from.Port, to.Port, payload);
        if (Faults.Loses() || IsBlackHole(to))
        {
            Trace("lost", from.Port, to.Port);
            DatagramsLost++;
            return;
        }

        for (var copies = Faults.Duplicates() ? 2 : 1; copies > 0; copies--)
        {
            var bytes = payload.ToArray();
            var delay = Faults.DatagramDelay();
            if (delay == TimeSpan.Zero)
            {
                Arrive(sender, from, to, bytes);
            }
            else
            {
                After(delay, () => Arrive(sender, from, to, bytes));
            }
        }
    }

    private void Arrive(IDatagramPort sender, in SocketAddr from, in SocketAddr to, byte[] payload)
    {
        var port = PortFor(from, to);
        Trace("arrive", from.Port, to.Port);
        if (port is null)
        {
            sender.OnRefused(to);
        }

        if (port is null || !port.Deliver(from, to, payload))
        {
            DatagramsLost++;
        }
    }

    /// <summary>The socket of an address; one of a group by the pair of addresses, as SO_REUSEPORT picks.</summary>
    private IDatagramPort? PortFor(in SocketAddr from, in SocketAddr to)
    {
        var wildcard = to.Family == SocketAddr.FamilyIPv6 ? System.Net.IPAddress.IPv6Any : System.Net.IPAddress.Any;
        if (!_ports.TryGetValue(to, out var ports)
            && !_ports.TryGetValue(SocketAddr.From(wildcard, to.Port), out ports)
            && !_ports.TryGetValue(SocketAddr.From(System.Net.IPAddress.IPv6Any, to.Port), out ports))
        {
            return null;
        }

        if (_unconnected is { } open && ports.Contains(open))
        {
            return open;
        }

        var sender = from;
        if (ports.Find(port => port is SimulatedPeerSocket peer && peer.Remote == sender) is { } connected)
        {
            return connected;
        }

        var shards = ports.Count(static port => port is not SimulatedPeerSocket);
        if (shards == 0)
        {
            return null;
        }

        var pick = SeededRandom.Mix(from.Word0 ^ from.Word1 ^ (from.Word2 << 1) ^ to.Word0) % (ulong)shards;
        return ports.Where(static port => port is not SimulatedPeerSocket).ElementAt((int)pick);
    }
}

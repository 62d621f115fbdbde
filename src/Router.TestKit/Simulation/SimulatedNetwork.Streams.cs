using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>A place that connections can be made to: a router's listening socket, or a server of a test.</summary>
internal interface IStreamAcceptor
{
    /// <summary>A connection has come; it waits until it is accepted.</summary>
    void OnConnection(StreamEnd end);
}

/// <summary>Streams: who listens where, and how connections come about.</summary>
internal sealed partial class SimulatedNetwork
{
    private readonly Dictionary<SocketAddr, List<IStreamAcceptor>> _acceptors = [];
    private long _acceptOverflows;

    public long ReadAcceptOverflows() => _acceptOverflows;
    private int _lastConnection = 1_000_000;

    public int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket)
    {
        socket = null;
        var error = Faults.Next(NetworkOperation.Listen);
        var address = local is { Port: 0, IsUnix: false } ? SocketAddr.From(local.Address, NextPort()) : local;
        if (local.UnixType == UnixSocketType.Packet)
        {
            error = Errno.EAFNOSUPPORT;
        }

        if (error == Errno.Success && !options.JoinGroup && _acceptors.ContainsKey(Canonical(address)))
        {
            error = Errno.EADDRINUSE;
        }

        Trace("listen", 0, (int)error);
        if (error != Errno.Success)
        {
            return FailureOf(error);
        }

        var listener = new SimulatedStreamListener(this, address, options);
        AddAcceptor(address, listener);
        socket = listener;
        return 0;
    }

    public int ConnectStream(in SocketAddr remote, out StreamSocket? socket)
    {
        socket = null;
        var error = Faults.Next(NetworkOperation.ConnectStream);
        Trace("connect", 0, (int)error);
        if (error != Errno.Success)
        {
            return FailureOf(error);
        }

        var target = Canonical(remote);
        var connecting = new SimulatedStreamSocket(this, NewLocalAddress(target), target);
        socket = connecting;
        if (!IsBlackHole(target))
        {
            After(Faults.StreamDelay(), () => connecting.Decide(Connect(connecting.LocalAddress, target)));
        }

        return FailureOf(Errno.EINPROGRESS);
    }

    internal int NextConnectionId() => ++_lastConnection;

    internal void CountAcceptOverflow() => _acceptOverflows++;

    internal void AddAcceptor(in SocketAddr address, IStreamAcceptor acceptor)
    {
        var key = Canonical(address);
        if (!_acceptors.TryGetValue(key, out var acceptors))
        {
            _acceptors[key] = acceptors = [];
        }

        acceptors.Add(acceptor);
    }

    internal void RemoveAcceptor(in SocketAddr address, IStreamAcceptor acceptor)
    {
        var key = Canonical(address);
        if (_acceptors.TryGetValue(key, out var acceptors) && acceptors.Remove(acceptor) && acceptors.Count == 0)
        {
            _acceptors.Remove(key);
        }
    }

    /// <summary>Connects at once.</summary>
    /// <returns>The client's end, or null if nobody listens there.</returns>
    internal StreamEnd? Connect(in SocketAddr from, in SocketAddr to)
    {
        var wildcard = to.Family == SocketAddr.FamilyIPv6 ? System.Net.IPAddress.IPv6Any : System.Net.IPAddress.Any;
        if (!_acceptors.TryGetValue(to, out var acceptors)
            && !_acceptors.TryGetValue(SocketAddr.From(wildcard, to.Port), out acceptors)
            && !_acceptors.TryGetValue(SocketAddr.From(System.Net.IPAddress.IPv6Any, to.Port), out acceptors))
        {
            return null;
        }

        var (client, server) = StreamEnd.Pair(this, from, to);
        var pick = SeededRandom.Mix(from.Word0 ^ from.Word1 ^ (from.Word2 << 1) ^ to.Word0) % (ulong)acceptors.Count;
        acceptors[(int)pick].OnConnection(server);
        return client;
    }
}

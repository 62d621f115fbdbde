using System.Collections.Frozen;
using System.Net;
using Router.Diagnostics;
using Router.Net;

namespace Router.Admission;

/// <summary>Keeps one forged datagram from going round for ever: between a listener and another of ours, or itself, and
/// between a route that answers by itself and others that do (CVE-2024-2169).</summary>
/// <remarks>Asked once per new session, on any loop. Refusals are counted drops, never replies.</remarks>
internal sealed class PeerGuard
{
    private const int FirstUnprivilegedPort = 1024;

    private volatile Ports _ports;

    /// <param name="answerPrivilegedPorts">Whether source ports below 1024 are answered.</param>
    /// <param name="responderPorts">Source ports that are known to answer whatever comes.</param>
    public PeerGuard(bool answerPrivilegedPorts, IEnumerable<int> responderPorts) =>
        _ports = new Ports(answerPrivilegedPorts, responderPorts.ToFrozenSet());

    /// <summary>Our own datagram listeners; set once they are bound.</summary>
    public OwnEndpoints Own { get; set; } = OwnEndpoints.None;

    /// <summary>Why the peer must not have a session of any route, or null if it may. Our listeners send to none of
    /// ours: what claims to come from one is forged, and what a proxy, or a handler, sends back would come in again. A
    /// peer of a unix socket without a name cannot be answered.</summary>
    public DropReason? Refuse(in SocketAddr peer)
    {
        if (peer.IsUnix)
        {
            return peer.Word1 == 0 ? DropReason.UnnamedPeer : Own.Contains(peer) ? DropReason.OwnListener : null;
        }

        return Own.HasPort(peer.Port) && Own.Contains(peer.Address, peer.Port) ? DropReason.OwnListener : null;
    }

    /// <summary>Why a route that answers by itself must not answer a peer that any route may, or null if it
    /// may.</summary>
    public DropReason? RefuseResponder(in SocketAddr peer)
    {
        var (port, ports) = (peer.Port, _ports);
        return !peer.IsUnix
            && ((port < FirstUnprivilegedPort && !ports.AnswerPrivileged) || ports.Responders.Contains(port))
                ? DropReason.ResponderPort
                : null;
    }

    /// <summary>Takes over the other's ports; live sessions stay.</summary>
    internal void Apply(PeerGuard other) => _ports = other._ports;

    private sealed record Ports(bool AnswerPrivileged, FrozenSet<int> Responders);
}

/// <summary>The endpoints that our listeners are bound to; a wildcard stands for every address of this machine.
/// </summary>
internal sealed class OwnEndpoints
{
    private readonly FrozenSet<int> _ports;
    private readonly IPEndPoint[] _bound;
    private readonly FrozenSet<IPAddress> _machine;
    private readonly SocketAddr[] _unix;
    private readonly FrozenSet<IPEndPoint> _ipv6Only;

    /// <param name="bound">IP endpoints, ports decided.</param>
    /// <param name="machine">Addresses of this machine's interfaces.</param>
    /// <param name="unix">Unix sockets that are bound; null for none.</param>
    /// <param name="ipv6Only">Those of <paramref name="bound"/> on [::] that take no IPv4; null for none.</param>
    public OwnEndpoints(
        IEnumerable<IPEndPoint> bound,
        IEnumerable<IPAddress> machine,
        IEnumerable<SocketAddr>? unix = null,
        IEnumerable<IPEndPoint>? ipv6Only = null)
    {
        _unix = [.. unix ?? []];
        _ipv6Only = (ipv6Only ?? []).ToFrozenSet();
        _bound = [.. bound];
        _ports = _bound.Select(endPoint => endPoint.Port).ToFrozenSet();
        _machine = machine.Select(Plain).ToFrozenSet();
    }

    public static OwnEndpoints None { get; } = new([], []);

    /// <summary>Whether one of ours has the address: of a unix socket by its name, whatever kind it is.</summary>
    internal bool Contains(in SocketAddr address)
    {
        if (!address.IsUnix)
        {
            return Contains(address.Address, address.Port);
        }

        foreach (var own in _unix)
        {
            if (UnixAddress.IsSameName(own, address))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether any listener has the port: quicker to ask than
    /// <see cref="Contains(IPAddress, int)"/>.</summary>
    public bool HasPort(int port) => _ports.Contains(port);

    /// <summary>Whether the endpoint, in any spelling (::ffff:, 0.0.0.0, ::), is one of ours.</summary>
    public bool Contains(IPAddress address, int port)
    {
        if (!_ports.Contains(port))
        {
            return false;
        }

        var plain = Plain(address);
        var isAny = plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any);
        var isMachine = isAny || IPAddress.IsLoopback(plain) || _machine.Contains(plain);
        foreach (var endPoint in _bound)
        {
            if (endPoint.Port != port)
            {
                continue;
            }

            // On Linux what is sent to a wildcard goes to the loopback of its family. A socket on 0.0.0.0 takes no
            // IPv6, and one on [::] takes IPv4 only if it is dual-stack.
            var own = Plain(endPoint.Address);
            var isSameFamily = own.AddressFamily == plain.AddressFamily;
            var isWildcard = own.Equals(IPAddress.IPv6Any)
                ? isSameFamily || !_ipv6Only.Contains(endPoint)
                : own.Equals(IPAddress.Any) && isSameFamily;
            if (own.Equals(plain)
                || (isWildcard && isMachine)
                || (isAny && isSameFamily && (IPAddress.IsLoopback(own) || _machine.Contains(own))))
            {
                return true;
            }
        }

        return false;
    }

    private static IPAddress Plain(IPAddress address)
    {
        var mapped = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return mapped.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && mapped.ScopeId != 0
            ? new IPAddress(mapped.GetAddressBytes())
            : mapped;
    }
}

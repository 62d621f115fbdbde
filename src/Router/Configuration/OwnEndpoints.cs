using System.Net;
using System.Net.Sockets;

namespace Router.Configuration;

/// <summary>Tells whether a remote endpoint is one of our own listeners, however it is spelled.</summary>
internal sealed class OwnEndpoints
{
    private readonly List<(Transport Transport, IPEndPoint EndPoint, bool DualStack)> _own;
    private readonly HashSet<IPAddress> _local;

    /// <param name="listeners">Ports of 0 match nothing: the kernel has not chosen yet.</param>
    /// <param name="localAddresses">The addresses of this machine's interfaces.</param>
    public OwnEndpoints(IEnumerable<ListenerOptions> listeners, IEnumerable<IPAddress> localAddresses)
    {
        _own = [.. listeners.SelectMany(l => l.Binds.Select(b => (b.Transport, b.EndPoint, l.DualStack)))];
        _local = [.. localAddresses.Select(Endpoints.Plain)];
    }

    public bool Contains(Transport transport, IPEndPoint remote)
    {
        // To send to the wildcard address is to send to this machine.
        var address = Endpoints.Plain(remote.Address);
        var isWildcard = Endpoints.IsWildcard(address);
        return _own.Exists(own => own.Transport == transport
            && own.EndPoint.Port == remote.Port
            && remote.Port != 0
            && Covers(Endpoints.Plain(own.EndPoint.Address), own.DualStack, address, isWildcard));
    }

    private bool Covers(IPAddress own, bool dualStack, IPAddress remote, bool remoteIsWildcard)
    {
        if (own.Equals(remote))
        {
            return true;
        }

        if (!Endpoints.IsWildcard(own))
        {
            return remoteIsWildcard && IPAddress.IsLoopback(own) && own.AddressFamily == remote.AddressFamily;
        }

        var sameFamily = own.AddressFamily == remote.AddressFamily
            || (dualStack && own.AddressFamily == AddressFamily.InterNetworkV6);
        return sameFamily && (remoteIsWildcard || IPAddress.IsLoopback(remote) || _local.Contains(remote));
    }
}

using System.Net;
using System.Net.NetworkInformation;
using Router.Admission;
using Router.Net;
using Router.Sessions;

namespace Router.Running;

/// <summary>Where this router is bound, so that no route leads back to it. /user/router sets it, any thread reads it.
/// </summary>
internal sealed class OwnAddresses
{
    private volatile OwnEndpoints _streams = OwnEndpoints.None;
    private volatile OwnEndpoints _datagrams = OwnEndpoints.None;

    public OwnEndpoints Datagrams => _datagrams;

    public bool Contains(SocketAddr address) => _streams.Contains(address) || _datagrams.Contains(address);

    /// <summary>Whether what goes to that address by one of these transports would come to a listener.</summary>
    public bool Contains(SocketAddr address, IEnumerable<SessionTransport> transports) => transports.Any(
        transport => (transport.KeepsMessages() ? _datagrams : _streams).Contains(address));

    /// <param name="binds">Those that drain too: their addresses are still bound.</param>
    public void Set(IReadOnlyCollection<RunningBind> binds)
    {
        var machine = MachineAddresses();
        var unix = binds
            .Select(static bind => bind.Bound.Address)
            .Where(static address => address.IsUnix)
            .ToList();
        _streams = Of(SessionTransport.Tcp);
        _datagrams = Of(SessionTransport.Udp);

        OwnEndpoints Of(SessionTransport transport)
        {
            var own = binds.Where(bind => bind.Request.Transport == transport).ToList();
            return new OwnEndpoints(
                own.Select(static bind => bind.Bound.Address.ToIPEndPoint()),
                machine,
                unix,
                own.FindAll(static bind => !bind.Request.DualStack)
                    .Select(static bind => bind.Bound.Address.ToIPEndPoint()));
        }
    }

    /// <summary>None where the system does not tell.</summary>
    private static IReadOnlyList<IPAddress> MachineAddresses()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .SelectMany(static card => card.GetIPProperties().UnicastAddresses)
                    .Select(static address => address.Address),
            ];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}

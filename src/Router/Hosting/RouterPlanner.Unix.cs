using Router.Configuration;
using Router.Net;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>Listeners' addresses, and the files of unix sockets.</summary>
internal sealed partial class RouterPlanner
{
    /// <summary>As it is bound.</summary>
    public static SocketAddr AddressOf(BindOptions bind) => bind.Transport switch
    {
        Transport.Unix => UnixAddress.Of(bind.Name!, UnixSocketType.Stream),
        Transport.Unixpacket => UnixAddress.Of(bind.Name!, UnixSocketType.Packet),
        Transport.Unixgram => UnixAddress.Of(bind.Name!, UnixSocketType.Datagram),
        _ => SocketAddr.From(bind.EndPoint),
    };

    private static SessionTransport TransportOf(BindOptions bind) => bind.Transport switch
    {
        Transport.Udp => SessionTransport.Udp,
        Transport.Tcp => SessionTransport.Tcp,
        Transport.Unix => SessionTransport.Unix,
        Transport.Unixpacket => SessionTransport.Unixpacket,
        _ => SessionTransport.Unixgram,
    };

    /// <summary>The file's owner by number; one whom the system does not know is a fault.</summary>
    private UnixFileOptions? FileOf(ListenerOptions listener)
    {
        var choice = listener.Unix;
        if (!listener.Binds.Any(static bind => bind.IsUnix))
        {
            return null;
        }

        var (owner, group) = (-1, -1);
        if (choice.Owner is { } user && !UnixAccounts.TryUser(user, out owner))
        {
            RefuseOwner(listener, "owner", $"there is no user '{user}' on this system: see 'getent passwd'");
        }

        if (choice.Group is { } name && !UnixAccounts.TryGroup(name, out group))
        {
            RefuseOwner(listener, "group", $"there is no group '{name}' on this system: see 'getent group'");
        }

        return new UnixFileOptions(choice.Mode, owner, group);
    }

    private void RefuseOwner(ListenerOptions listener, string key, string why)
    {
        var fault = listener.Section.FaultAt($"unix.{key}", why);
        _faults.Add(fault.ToString());
    }
}

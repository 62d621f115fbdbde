using System.Net;
using System.Text;
using Router.Net;
using Router.Sessions;

namespace Router.TestKit;

/// <summary>Unix sockets in a test: streams and datagrams, by names that no file has.</summary>
public sealed partial class RouterTestKit
{
    /// <summary>A stream listener (unix://) whose sessions are run by handlers made here, one per session.</summary>
    /// <param name="name">A path, or '@' and an abstract name.</param>
    /// <param name="create">Makes a handler.</param>
    /// <param name="limits">Its limits; without any, <see cref="Limits"/>.</param>
    public KitListener BindUnix(string name, Func<SessionHandler> create, ListenerLimits? limits = null) =>
        BindUnix(name, new Routes.HandlerRoute("handler", create), limits);

    /// <summary>A stream listener (unix://) with a route.</summary>
    internal KitListener BindUnix(string name, Route route, ListenerLimits? limits = null) =>
        Bind(SessionTransport.Unix, route, UnixAddress.Of(name, UnixSocketType.Stream), limits ?? Limits);

    /// <summary>A datagram listener (unixgram://) whose sessions are run by handlers made here.</summary>
    public KitListener BindUnixgram(string name, Func<SessionHandler> create, ListenerLimits? limits = null) =>
        BindUnixgram(name, new Routes.HandlerRoute("handler", create), limits);

    /// <summary>A datagram listener (unixgram://) with a route.</summary>
    internal KitListener BindUnixgram(string name, Route route, ListenerLimits? limits = null) =>
        Bind(SessionTransport.Unixgram, route, UnixAddress.Of(name, UnixSocketType.Datagram), limits ?? Limits);

    /// <summary>A peer that connects to a unix:// listener, at once; it has no name.</summary>
    /// <param name="to">The listener.</param>
    /// <param name="credentials">Who it is.</param>
    public TcpPeer UnixPeer(KitListener to, PeerCredentials credentials)
    {
        var own = SocketAddr.Unix(UnixSocketType.Stream, UnixNames.NumberOf([], credentials));
        return new TcpPeer(Network, new IPEndPoint(IPAddress.None, 0), Network.Connect(own, to.Address));
    }

    /// <summary>A peer that sends to a unixgram:// listener.</summary>
    /// <param name="name">Its own name, as <see cref="BindUnix(string, Route, ListenerLimits?)"/> has it; empty for a
    /// peer without one.</param>
    /// <param name="to">The listener.</param>
    /// <param name="credentials">Who it is.</param>
    public UdpPeer UnixgramPeer(string name, KitListener to, PeerCredentials credentials)
    {
        var bytes = Encoding.UTF8.GetBytes(name.StartsWith('@') ? "\0" + name[1..] : name);
        var number = bytes.Length == 0 ? 0 : UnixNames.NumberOf(bytes, credentials);
        return new UdpPeer(Network, SocketAddr.Unix(UnixSocketType.Datagram, number), to.Address);
    }

    /// <summary>A server that routes send to: an unixgram:// upstream of that name.</summary>
    public UdpPeer UnixgramServer(string name) =>
        new(Network, UnixAddress.Of(name, UnixSocketType.Datagram), default);
}

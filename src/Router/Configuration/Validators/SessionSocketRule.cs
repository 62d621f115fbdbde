using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>Only UDP sessions have sockets of their own. Such a socket is read on its loop, and must answer from the
/// address that the peer sent to.</summary>
internal sealed class SessionSocketRule : IConfigurationRule
{
    private const string Key = "session-socket";

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var listener in context.Options.Listeners)
        {
            if (listener.Sessions.Socket == SessionSocket.Shared)
            {
                continue;
            }

            var datagrams = listener.Binds.Where(static bind => bind.Transport == SessionTransport.Udp).ToList();
            if (datagrams.Count == 0)
            {
                yield return listener.Section.FaultAt(Key,
                    "is for UDP sessions, but the listener is bound to no udp:// address");
            }

            if (listener.Sessions.OnPool)
            {
                yield return listener.Section.FaultAt(Key,
                    "is read on the session's loop, but session.dispatcher is pool; set one of them otherwise");
            }

            foreach (var bind in datagrams.Where(bind =>
                listener.Sessions.Socket == SessionSocket.Connected && Endpoints.IsWildcard(bind.EndPoint.Address)))
            {
                yield return new ConfigurationFault(bind.Origin, $"{listener.Section.Path}.{Key}",
                    $"connected is not possible on {bind}: connecting gives a socket the address of the route to the "
                    + "peer, which need not be the one the peer sent to; bind each address by itself, or use own-port");
            }
        }
    }
}

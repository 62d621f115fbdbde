using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>Datagrams are relayed between members of a cluster, to sessions that cannot move: a proxy's over UDP, by
/// the listener's socket.</summary>
internal sealed class StraysRule : IConfigurationRule
{
    private const string Key = "strays";

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var listener in context.Options.Listeners.Where(static each => each.Sessions.Strays is not null))
        {
            if (context.Options.Cluster is null)
            {
                yield return listener.Section.FaultAt(
                    Key, "relay asks the members of a cluster, and there is none: add cluster {} to router");
            }

            if (!listener.Binds.Any(static bind => bind.Transport == SessionTransport.Udp))
            {
                yield return listener.Section.FaultAt(
                    Key, "relay is for datagrams, but the listener is bound to no udp:// address");
            }

            if (listener.Sessions.Socket != SessionSocket.Shared)
            {
                yield return listener.Section.FaultAt(
                    Key, "relay is for sessions that share the listener's socket: leave session-socket at shared");
            }

            if (context.Options.FindRoute(listener.Route) is { Type: not "proxy" and var type })
            {
                yield return listener.Section.FaultAt(
                    Key, $"relay is for routes of type proxy, and this one's is {type}; where a handler can go on "
                    + "elsewhere, identity finds its peer again");
            }
        }
    }
}

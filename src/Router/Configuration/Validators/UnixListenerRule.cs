using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>What cannot go together on a unix socket: two listeners at one name, routes that need addresses, sockets of
/// sessions, a handler on the pool over unixpacket, and a file's mode where there is no file.</summary>
internal sealed class UnixListenerRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var seen = new Dictionary<string, (ListenerOptions Listener, BindOptions Bind)>(StringComparer.Ordinal);
        foreach (var listener in context.Options.Listeners)
        {
            var binds = listener.Binds.Where(static bind => bind.IsUnix).ToList();
            foreach (var bind in binds)
            {
                var name = UnixEndpoints.Real(bind.Name!);
                if (!seen.TryAdd(name, (listener, bind)))
                {
                    var (other, earlier) = seen[name];
                    yield return At(listener, bind,
                        $"{bind} is already bound by listener '{other.Name}' at {earlier.Origin}");
                }
            }

            foreach (var fault in Sessions(context, listener, binds).Concat(File(listener, binds)))
            {
                yield return fault;
            }
        }
    }

    private static IEnumerable<ConfigurationFault> Sessions(
        RuleContext context, ListenerOptions listener, List<BindOptions> binds)
    {
        var flow = context.Options.FindRoute(listener.Route) is { InnerRoute: not null } route ? route : null;
        foreach (var bind in binds)
        {
            if (flow is not null)
            {
                yield return At(listener, bind,
                    $"{bind} cannot have route '{flow.Name}': flows are UDP sessions that join TCP sessions; "
                    + "bind to udp:// and tcp://, or name another route");
            }

            if (listener.Sessions.Socket != SessionSocket.Shared)
            {
                yield return At(listener, bind,
                    $"{bind} cannot have session-socket = connected or own-port, which are for UDP; bind it in a "
                    + "listener of its own");
            }

            if (bind.Transport == SessionTransport.Unixpacket && listener.Sessions.OnPool)
            {
                yield return At(listener, bind,
                    $"{bind} is served on the loop only; set session.dispatcher = io, "
                    + "or bind to unix:// or unixgram://");
            }
        }
    }

    private static IEnumerable<ConfigurationFault> File(ListenerOptions listener, List<BindOptions> binds)
    {
        if (!UnixFileModes.IsMode(listener.UnixFile.Mode))
        {
            yield return listener.Section.FaultAt("unix.mode", UnixFileModes.Words);
        }

        var owner = Array.Find(["unix.owner", "unix.group"], key => listener.Section.Find(key) is not null);
        if (binds.Count > 0 && binds.TrueForAll(static bind => bind.Name![0] == '@') && owner is not null)
        {
            yield return listener.Section.FaultAt(owner,
                "an abstract name has no file and no owner: whoever is in the same network namespace may connect; "
                + "bind to a path instead");
        }
    }

    private static ConfigurationFault At(ListenerOptions listener, BindOptions bind, string message) =>
        new(bind.Origin, $"{listener.Section.Path}.bind", message);
}

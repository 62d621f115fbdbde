using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>Where descriptors run out before max-sessions is reached, listeners stop accepting and upstreams cannot be
/// reached.</summary>
internal sealed class DescriptorsSufficeRule : IConfigurationRule
{
    /// <summary>What the process holds without any session: files, loops, listening sockets.</summary>
    private const int Reserve = 256;

    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var needs = context.Options.Listeners
            .Select(l => (Listener: l, Descriptors: (long)l.Sessions.MaxSessions * PerSession(context, l)))
            .ToList();
        var all = needs.Sum(n => n.Descriptors) + Reserve;
        if (all > context.System.Descriptors)
        {
            yield return needs.MaxBy(n => n.Descriptors).Listener.Section.FaultAt("max-sessions",
                $"the sessions of all listeners need up to {all} descriptors and the process may open "
                + $"{context.System.Descriptors}; raise it with ulimit -n or LimitNOFILE=, or lower max-sessions");
        }
    }

    /// <summary>A connection is one, and so is a proxy's socket to its upstream; a UDP peer alone is none.</summary>
    private static int PerSession(RuleContext context, ListenerOptions listener) =>
        (listener.Binds.Any(b => !b.Transport.IsConnectionless()) ? 1 : 0)
        + (context.Options.FindRoute(listener.Route)?.DescriptorsPerSession ?? 0);
}

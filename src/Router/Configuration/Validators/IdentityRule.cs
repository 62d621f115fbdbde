namespace Router.Configuration.Validators;

/// <summary>Identities are kept by a cluster, if only of one member, and are for routes whose handlers can go on
/// elsewhere: an upstream, a child process or a control session cannot move.</summary>
internal sealed class IdentityRule : IConfigurationRule
{
    private static readonly string[] Bound = ["proxy", "exec", "flow"];

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var listener in context.Options.Listeners.Where(static each => each.Sessions.Identity is not null))
        {
            if (context.Options.Cluster is null)
            {
                yield return listener.Section.FaultAt(
                    "identity", "needs a cluster, if only of this member: add cluster {} to router");
            }

            if (context.Options.FindRoute(listener.Route) is { } route && Bound.Contains(route.Type))
            {
                yield return listener.Section.FaultAt(
                    "identity",
                    $"is not for routes of type {route.Type}, whose sessions cannot go on at another member; "
                    + "use one of type handler, actor, echo, reply, collect or room");
            }
        }
    }
}

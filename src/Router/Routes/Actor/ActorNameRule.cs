using Router.Configuration;

namespace Router.Routes;

/// <summary>An actor is named by its path or by its key, not both, and a path leads to one actor.</summary>
internal sealed class ActorNameRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ActorRouteOptions>())
        {
            if (route.Path is null == route.Key is null)
            {
                yield return route.Section.FaultAt(route.Path is null ? "path" : "key",
                    "an actor route needs path = \"/user/NAME\" or the key given to AddActor, one of the two");
            }
            else if (route.Path is { } path && !LeadsToOne(path))
            {
                yield return route.Section.FaultAt("path",
                    $"'{path}' is no actor's path: /user/NAME, or akka://SYSTEM/user/NAME, without wildcards");
            }
        }
    }

    private static bool LeadsToOne(string path) =>
        (path.StartsWith("/user/", StringComparison.Ordinal)
            || (path.StartsWith("akka", StringComparison.Ordinal)
                && path.Contains("://", StringComparison.Ordinal)
                && path.Contains("/user/", StringComparison.Ordinal)))
        && !path.EndsWith('/')
        && !path.AsSpan().ContainsAny("*? ");
}

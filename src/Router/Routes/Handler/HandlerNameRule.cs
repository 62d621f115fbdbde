using Router.Configuration;

namespace Router.Routes;

/// <summary>A handler is named by its class or as registered in code, not both.</summary>
internal sealed class HandlerNameRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<HandlerRouteOptions>())
        {
            if (route.Class is null && route.HandlerName is null)
            {
                yield return route.Section.FaultAt("class",
                    "a handler route needs class = \"Namespace.Type, Assembly\" or the name given to AddHandler");
            }
            else if (route.Class is not null && route.HandlerName is not null)
            {
                yield return route.Section.FaultAt("name", "a handler route has class or name, not both");
            }
        }
    }
}

using Router.Configuration;

namespace Router.Routes;

/// <summary>A reply says one thing: text or bytes, not both.</summary>
internal sealed class ReplyPayloadRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ReplyRouteOptions>())
        {
            var hasBytes = route.Section.Find("bytes") is not null;
            if (route.Text is null && !hasBytes)
            {
                yield return route.Section.FaultAt("text", "a reply needs text or bytes");
            }
            else if (route.Text is not null && hasBytes)
            {
                yield return route.Section.FaultAt("bytes", "a reply has text or bytes, not both");
            }
        }
    }
}

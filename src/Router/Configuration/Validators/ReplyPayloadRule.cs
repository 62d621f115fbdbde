namespace Router.Configuration.Validators;

/// <summary>A reply says one thing: text or bytes, not both.</summary>
internal sealed class ReplyPayloadRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ReplyRouteOptions>())
        {
            var hasBytes = route.Source.TryGet("bytes", out var bytes) && bytes.Value.Type != Hocon.HoconType.Null;
            if (route.Text is null && !hasBytes)
            {
                yield return RuleContext.Fault(route, "text", "a reply needs text or bytes");
            }
            else if (route.Text is not null && hasBytes)
            {
                yield return RuleContext.Fault(route, "bytes", "a reply has text or bytes, not both");
            }
        }
    }
}

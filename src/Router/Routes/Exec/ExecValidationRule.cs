using Router.Configuration;

namespace Router.Routes;

/// <summary>A forged datagram must not start a process: UDP peers prove themselves, or come from where nobody
/// forges.</summary>
internal sealed class ExecValidationRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        context.Options.Routes.OfType<ExecRouteOptions>()
            .SelectMany(route => route.Proof.Check(context, route, "start processes"));
}

namespace Router.Configuration.Validators;

/// <summary>A forged datagram must not start a process: UDP peers prove themselves, or come from where nobody
/// forges.</summary>
internal sealed class ExecValidationRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        context.Options.Routes.OfType<ExecRouteOptions>()
            .SelectMany(route => ProofFaults.Of(context, route, route.Proof, "start processes"));
}

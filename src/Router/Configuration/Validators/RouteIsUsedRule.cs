namespace Router.Configuration.Validators;

/// <summary>A route that no listener names is legal, but seldom meant.</summary>
internal sealed class RouteIsUsedRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Routes
        .Where(r => !context.ListenersOf(r).Any())
        .Select(r => new ConfigurationFault(r.Section.Origin, r.Section.Path, "no listener uses this route"));
}

namespace Router.Configuration.Validators;

/// <summary>A listener's route must be there.</summary>
internal sealed class RouteExistsRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        // Also those of an unknown type: their own fault says so.
        var names = context.Options.Section.Object("routes").Fields.Select(f => f.Name).ToList();
        return context.Options.Listeners
            .Where(l => !names.Contains(l.Route))
            .Select(l => l.Section.FaultAt("route", $"there is no route '{l.Route}'{Nearest.Hint(l.Route, names)}"));
    }
}

namespace Router.Configuration.Validators;

/// <summary>A listener's route must be there.</summary>
internal sealed class RouteExistsRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        // Also those of an unknown type: their own fault says so.
        var names = context.Options.Source.TryGet("routes", out var routes) && routes.Value is Hocon.HoconObject all
            ? all.Fields.Select(f => f.Name).ToList()
            : [];
        return context.Options.Listeners
            .Where(l => !names.Contains(l.Route))
            .Select(l => RuleContext.Fault(
                l, "route", $"there is no route '{l.Route}'{Nearest.Hint(l.Route, names)}"));
    }
}

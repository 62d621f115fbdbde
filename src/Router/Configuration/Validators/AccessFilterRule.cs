namespace Router.Configuration.Validators;

/// <summary>A filter of records names routes that there are.</summary>
internal sealed class AccessFilterRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var access = context.Options.Log.Access;
        var names = context.Options.Routes.Select(static route => route.Name).ToList();
        (string Key, IReadOnlySet<string> Routes)[] filters =
            [("routes", access.Routes), ("not-routes", access.NotRoutes)];
        return from filter in filters
               from name in filter.Routes
               where !names.Contains(name, StringComparer.Ordinal)
               select access.Section.FaultAt(filter.Key, $"there is no route '{name}'{Nearest.Hint(name, names)}");
    }
}

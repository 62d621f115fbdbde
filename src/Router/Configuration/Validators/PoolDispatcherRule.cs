namespace Router.Configuration.Validators;

/// <summary>Only routes of type handler may run on the pool: the others never block and would gain nothing.</summary>
internal sealed class PoolDispatcherRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners
        .Where(l => l.Sessions.OnPool && context.Options.FindRoute(l.Route) is { MayRunOnPool: false })
        .Select(l => l.Section.FaultAt("session.dispatcher",
            $"'pool' is for routes of type handler, and route '{l.Route}' is none; use 'io'"));
}

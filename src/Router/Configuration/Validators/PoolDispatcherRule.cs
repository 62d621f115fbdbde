namespace Router.Configuration.Validators;

/// <summary>Only handlers may leave the I/O loop: the routes of ours never block and gain nothing.</summary>
internal sealed class PoolDispatcherRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners
        .Where(l => l.Session.Dispatcher == SessionDispatcher.Pool
            && context.Options.FindRoute(l.Route) is { MayRunOnPool: false })
        .Select(l => l.Section.FaultAt("session.dispatcher",
            $"'pool' is for routes of type handler, and route '{l.Route}' is none; use 'io'"));
}

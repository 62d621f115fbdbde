using Router.Configuration;

namespace Router.Routes;

/// <summary>Variables have names, and none of those that tell the session's facts.</summary>
internal sealed class ExecEnvironmentRule : IConfigurationRule
{
    private static readonly string[] Facts =
        ["PROTO", "REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT", "SESSION_ID"];

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from route in context.Options.Routes.OfType<ExecRouteOptions>()
        from variable in route.Environment
        let name = variable.Split('=')[0]
        let fault = FaultOf(name, variable)
        where fault is not null
        select route.Section.FaultAt("environment", fault);

    private static string? FaultOf(string name, string variable)
    {
        if (name.Length == 0 || variable.Contains('\0', StringComparison.Ordinal))
        {
            return $"'{variable}' is no variable; NAME=value is wanted, or NAME for the router's own value";
        }

        return Facts.Contains(name, StringComparer.Ordinal)
            ? $"{name} tells a fact of the session and cannot be set"
            : null;
    }
}

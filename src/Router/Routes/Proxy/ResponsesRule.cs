using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Answers are counted in datagrams; a stream has none.</summary>
internal sealed class ResponsesRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Routes
        .OfType<ProxyRouteOptions>()
        .Where(r => r.Responses > 0
            && context.ListenersOf(r).Any()
            && !context.ListenersOf(r).SelectMany(l => l.Binds).Any(b => b.Transport.IsConnectionless()))
        .Select(r => r.Section.FaultAt("responses",
            "counts datagrams, but no listener with this route is bound to udp:// or unixgram://"));
}

using System.Net;

namespace Router.Configuration;

/// <summary>One rule over bound options. It reports all that breaks it and never stops at the first.</summary>
internal interface IConfigurationRule
{
    /// <summary>Whether what it finds refuses the configuration; else it is a warning.</summary>
    bool Refuses => true;

    IEnumerable<ConfigurationFault> Check(RuleContext context);
}

/// <param name="Options">As bound; keys that could not be read hold zero, and their faults are known already.</param>
/// <param name="Sections">What was read, with all keys that are known.</param>
internal sealed record RuleContext(
    RouterOptions Options,
    IReadOnlyList<SectionReader> Sections,
    IReadOnlyCollection<IPAddress> LocalAddresses,
    SystemLimits System)
{
    /// <summary>The listeners that name this route, or a route that has it as its inner one.</summary>
    public IEnumerable<ListenerOptions> ListenersOf(RouteOptions route) => Options.Listeners.Where(l =>
        l.Route == route.Name || Options.FindRoute(l.Route)?.InnerRoute == route.Name);
}

using System.Net;
using Router.Configuration.Hocon;

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
/// <param name="LocalAddresses">The addresses of this machine's interfaces.</param>
/// <param name="System">What the machine grants.</param>
internal sealed record RuleContext(
    RouterOptions Options,
    IReadOnlyList<SectionReader> Sections,
    IReadOnlyCollection<IPAddress> LocalAddresses,
    SystemLimits System)
{
    /// <summary>The listeners that name this route, or a flow route that does.</summary>
    public IEnumerable<ListenerOptions> ListenersOf(RouteOptions route) => Options.Listeners.Where(l =>
        l.Route == route.Name || (Options.FindRoute(l.Route) is FlowRouteOptions flow && flow.Route == route.Name));

    public static ConfigurationFault Fault(ListenerOptions listener, string key, string message) =>
        new(Place(listener.Source, key, listener.Origin), $"{PathOf(listener)}.{key}", message);

    public static ConfigurationFault Fault(RouteOptions route, string key, string message) =>
        new(Place(route.Source, key, route.Origin), $"{PathOf(route)}.{key}", message);

    public static ConfigurationFault Fault(RouterOptions router, string key, string message) =>
        new(Place(router.Source, key, router.Source.Origin), $"router.{key}", message);

    public static string PathOf(ListenerOptions listener) => $"router.listeners.{HoconPath.Print([listener.Name])}";

    public static string PathOf(RouteOptions route) => $"router.routes.{HoconPath.Print([route.Name])}";

    internal static HoconOrigin Place(HoconObject source, string key, HoconOrigin otherwise) =>
        source.TryGet(key.Split('.'), out var field) && field.Value.Type != HoconType.Null
            ? field.KeyOrigin
            : otherwise;
}

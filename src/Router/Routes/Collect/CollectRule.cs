using Router.Configuration;

namespace Router.Routes;

/// <summary>A collect route's windows end, fit its memory, and have somewhere to go.</summary>
internal sealed class CollectRule : IConfigurationRule
{
    /// <summary>A window's memory grows by doubling, and holds a header per payload.</summary>
    private const int BuffersPerWindow = 4;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        context.Options.Routes.OfType<CollectRouteOptions>()
            .SelectMany(route => Windows(route).Concat(Sink(route)))
            .Concat(Shared(context));

    /// <summary>Two routes that rotate one file would take it from under each other.</summary>
    private static IEnumerable<ConfigurationFault> Shared(RuleContext context) =>
        from route in context.Options.Routes.OfType<CollectRouteOptions>()
        where route.To == CollectTo.File && route.File.Path is { Length: > 0 }
        group route by Path.GetFullPath(route.File.Path!) into sharing
        from again in sharing.Skip(1)
        select again.Section.FaultAt(
            "file.path", $"route '{sharing.First().Name}' writes to the same file; give each its own");

    private static IEnumerable<ConfigurationFault> Windows(CollectRouteOptions route)
    {
        if (route.EveryMs > 0 && route.WindowMs == 0)
        {
            yield return route.Section.FaultAt(
                "every", "a sliding window has a length: set window to the time it looks back");
        }

        if (route.Buffer / BuffersPerWindow < route.Bytes)
        {
            yield return route.Section.FaultAt("buffer",
                $"{route.Buffer} bytes do not hold a window of {route.Bytes}: "
                + $"set it to {BuffersPerWindow} times bytes at least");
        }
    }

    private static IEnumerable<ConfigurationFault> Sink(CollectRouteOptions route)
    {
        if (route.To == CollectTo.File && string.IsNullOrEmpty(route.File.Path))
        {
            yield return route.Section.FaultAt("file.path", "to = file needs the path of the file");
        }

        if (route.To == CollectTo.Upstream && route.Upstream is null)
        {
            yield return route.Section.FaultAt(
                "upstream", "to = upstream needs upstream = \"tcp://HOST:PORT\" or \"udp://HOST:PORT\"");
        }

        if (route.To == CollectTo.Handler && route.Class is null == route.HandlerName is null)
        {
            yield return route.Section.FaultAt(route.Class is null ? "class" : "name",
                "to = handler needs class = \"Namespace.Type, Assembly\" or the name given to AddWindowHandler, "
                + "one of the two");
        }
    }
}

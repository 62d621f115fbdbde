using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A proxy joins like and like: streams with streams, messages with messages; and to no unix socket of its own
/// router.</summary>
internal sealed class UnixUpstreamRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var own = context.Options.Listeners
            .SelectMany(static listener => listener.Binds)
            .Where(static bind => bind.IsUnix)
            .Select(static bind => UnixEndpoints.Real(bind.Name!))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var route in context.Options.Routes.OfType<ProxyRouteOptions>())
        {
            var binds = context.ListenersOf(route).SelectMany(static listener => listener.Binds).ToList();
            foreach (var upstream in route.Upstreams)
            {
                if (upstream.Unix is not { } transport)
                {
                    continue;
                }

                if (own.Contains(UnixEndpoints.Real(upstream.Host)))
                {
                    yield return At(route, upstream,
                        $"upstream {upstream} is a listener of this very configuration: payloads would go round");
                }

                var keeps = transport.KeepsMessages();
                if (binds.Find(bind => bind.Transport.KeepsMessages() != keeps) is { } other)
                {
                    yield return At(route, upstream, MixedUp(upstream, keeps, other));
                }

                if (route.UpstreamReplies == UpstreamReplies.Follow)
                {
                    yield return route.Section.FaultAt("upstream-replies",
                        $"follow is for upstreams that answer from another port; {upstream} has none: "
                        + "set it to strict");
                }
            }
        }
    }

    private static string MixedUp(UpstreamOptions upstream, bool keepsMessages, BindOptions bind) => keepsMessages
        ? $"upstream {upstream} takes messages, and what comes to {bind} is a stream, which has none; use a unix:// or "
            + "HOST:PORT upstream there, or a route of its own"
        : $"upstream {upstream} is a stream, which would lose where the messages that come to {bind} end; use a "
            + "unixpacket://, unixgram:// or HOST:PORT upstream there, or a route of its own";

    private static ConfigurationFault At(RouteOptions route, UpstreamOptions upstream, string message) =>
        new(upstream.Origin, $"{route.Section.Path}.upstreams", message);
}

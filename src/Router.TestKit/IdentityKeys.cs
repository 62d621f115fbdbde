using Router.Configuration;
using Router.Routes;
using Router.Sessions;

namespace Router.TestKit;

/// <summary>Reads a listener's keys about identities, as its configuration has them: with the router's own defaults,
/// limits and rules.</summary>
internal static class IdentityKeys
{
    /// <exception cref="RouterTestKitException">The router would refuse them.</exception>
    public static IdentitySettings? Read(string? keys)
    {
        if (keys is null)
        {
            return null;
        }

        var text = $$"""
            router.cluster {}
            router.routes.r { type = handler, name = kit }
            router.listeners.l {
            {{keys}}
            }
            router.listeners.l { bind = "udp://127.0.0.1:0", route = r }
            """;
        var result = ConfigurationLoader.LoadText(RouteTypes.All, text, [], static _ => null, [], "(identity)");
        return result.Options is { } options
            ? options.Listeners[0].Sessions.Identity
            : throw new RouterTestKitException(string.Join('\n', result.Faults));
    }
}

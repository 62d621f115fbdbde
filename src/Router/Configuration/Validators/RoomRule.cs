using System.Net;
using System.Text;

namespace Router.Configuration.Validators;

/// <summary>
/// A room knows how it is joined, and a forged datagram does not make it send to many: UDP peers prove themselves, or
/// come from where nobody forges.
/// </summary>
internal sealed class RoomRule : IConfigurationRule
{
    private const int TokenBytesMax = 64;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Routes
        .OfType<RoomRouteOptions>()
        .SelectMany(route => Join(route).Concat(Validation(context, route)));

    private static IEnumerable<ConfigurationFault> Join(RoomRouteOptions route)
    {
        var hasClass = route.Class is not null;
        var hasName = route.HandlerName is not null;
        if (route.Join == RoomJoinBy.Handler && hasClass == hasName)
        {
            yield return RuleContext.Fault(route, hasClass ? "name" : "class",
                "join = handler needs class = \"Namespace.Type, Assembly\" or the name given to AddRoomJoin, "
                + "one of the two");
        }
        else if (route.Join != RoomJoinBy.Handler && (hasClass || hasName))
        {
            yield return RuleContext.Fault(
                route, hasClass ? "class" : "name", "nothing asks for it; set join = handler");
        }
    }

    private static IEnumerable<ConfigurationFault> Validation(RuleContext context, RoomRouteOptions route)
    {
        var bytes = Encoding.UTF8.GetByteCount(route.Token ?? "");
        if (route.Validate == ProofChoice.Token && bytes is 0 or > TokenBytesMax)
        {
            yield return RuleContext.Fault(
                route, "token", $"validate = token needs a token of 1 to {TokenBytesMax} bytes");
        }

        if (route.Validate != ProofChoice.Token && route.Token is not null)
        {
            yield return RuleContext.Fault(route, "token", "nothing asks for it; set validate = token");
        }

        if (route.Validate != ProofChoice.None && route.AllowUnvalidated.Count > 0)
        {
            yield return RuleContext.Fault(
                route, "allow-unvalidated", "nothing asks for it; set validate = none");
        }

        if (route.Validate == ProofChoice.None && route.AllowUnvalidated.Count == 0 && IsOpen(context, route))
        {
            yield return RuleContext.Fault(route, "validate",
                "'none' is for listeners on loopback, or needs allow-unvalidated: whoever forges a source address "
                + "would have a whole room send to it; use round-trip or token");
        }
    }

    private static bool IsOpen(RuleContext context, RoomRouteOptions route) =>
        context.ListenersOf(route).SelectMany(static listener => listener.Binds).Any(static bind =>
            bind.Transport == Transport.Udp && !IPAddress.IsLoopback(Endpoints.Plain(bind.EndPoint.Address)));
}

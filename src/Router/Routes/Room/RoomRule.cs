using Router.Configuration;

namespace Router.Routes;

/// <summary>
/// A room knows how it is joined, and a forged datagram does not make it send to many: UDP peers prove themselves, or
/// come from where nobody forges.
/// </summary>
internal sealed class RoomRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Routes
        .OfType<RoomRouteOptions>()
        .SelectMany(route => Join(route).Concat(
            route.Proof.Check(context, route, "have a whole room send to it")));

    private static IEnumerable<ConfigurationFault> Join(RoomRouteOptions route)
    {
        var hasClass = route.Class is not null;
        var hasName = route.HandlerName is not null;
        if (route.Join == RoomEntry.Handler && hasClass == hasName)
        {
            yield return route.Section.FaultAt(hasClass ? "name" : "class",
                "join = handler needs class = \"Namespace.Type, Assembly\" or the name given to AddRoomJoin, "
                + "one of the two");
        }
        else if (route.Join != RoomEntry.Handler && (hasClass || hasName))
        {
            yield return route.Section.FaultAt(hasClass ? "class" : "name", "nothing asks for it; set join = handler");
        }
    }
}

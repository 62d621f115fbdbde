using System.Net;
using System.Net.Sockets;

namespace Router.Configuration.Validators;

/// <summary>An endpoint is bound once. A wildcard address holds the port of every address it covers.</summary>
internal sealed class DuplicateBindRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var all = context.Options.Listeners.SelectMany(l => l.Binds.Select(b => (Listener: l, Bind: b))).ToList();
        for (var i = 0; i < all.Count; i++)
        {
            var (listener, bind) = all[i];
            var earlier = all.Take(i).FirstOrDefault(e => Clash(e.Bind, e.Listener, bind, listener));
            if (earlier.Bind is not null)
            {
                var same = bind.EndPoint.Equals(earlier.Bind.EndPoint) ? "is" : "is covered by what is";
                yield return new ConfigurationFault(bind.Origin, $"{listener.Section.Path}.bind",
                    $"{bind} {same} already bound by listener '{earlier.Listener.Name}' at {earlier.Bind.Origin}");
            }
        }
    }

    private static bool Clash(BindOptions a, ListenerOptions aOwner, BindOptions b, ListenerOptions bOwner) =>
        a.Transport == b.Transport
        && a.EndPoint.Port == b.EndPoint.Port
        && a.EndPoint.Port != 0
        && (Covers(a.EndPoint.Address, aOwner.DualStack, b.EndPoint.Address)
            || Covers(b.EndPoint.Address, bOwner.DualStack, a.EndPoint.Address));

    private static bool Covers(IPAddress wide, bool dualStack, IPAddress other)
    {
        var plain = Endpoints.Plain(other);
        if (Endpoints.Plain(wide).Equals(plain))
        {
            return true;
        }

        return Endpoints.IsWildcard(wide) && (wide.AddressFamily == plain.AddressFamily
            || (dualStack && wide.AddressFamily == AddressFamily.InterNetworkV6));
    }
}

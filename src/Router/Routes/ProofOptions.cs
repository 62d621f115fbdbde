using System.Net;
using System.Text;
using Router.Admission;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Net;

namespace Router.Routes;

/// <summary>The keys about validation of UDP peers' addresses, which several types of routes have.</summary>
internal sealed class ProofOptions(SectionReader route)
{
    private const int TokenBytesMax = 64;

    public PeerProof Validate { get; } = route.Choice<PeerProof>("validate", Reload.NewSessions);

    public string? Token { get; } = route.OptionalText("token", Reload.NewSessions);

    public IReadOnlyList<IPNetwork> AllowUnvalidated { get; } =
        route.List<IPNetwork>("allow-unvalidated", Reload.NewSessions, ParseNetwork);

    public TimeSpan ValidateTimeout { get; } =
        route.Duration("validate-timeout", Limit.Tick, Limit.Day, Reload.NewSessions);

    public PeerValidation Validation => new(
        Validate, Encoding.UTF8.GetBytes(Token ?? ""), AllowUnvalidated, ValidateTimeout, RandomSource.System);

    private static string? ParseNetwork(string text, HoconOrigin origin, out IPNetwork network) =>
        IPNetwork.TryParse(text, out network) && !network.BaseAddress.IsIPv4MappedToIPv6
            ? null
            : $"'{text}' is not a network; write its first address and its length, as 10.0.0.0/8 or fd00::/8";

    /// <param name="risk">What somebody who forges a source address would do, for messages.</param>
    public IEnumerable<ConfigurationFault> Check(RuleContext context, RouteOptions route, string risk)
    {
        var allowsUnvalidated = AllowUnvalidated.Count > 0;
        var bytes = Encoding.UTF8.GetByteCount(Token ?? "");
        if (Validate == PeerProof.Token && bytes is 0 or > TokenBytesMax)
        {
            yield return route.Section.FaultAt(
                "token", $"validate = token needs a token of 1 to {TokenBytesMax} bytes");
        }

        if (Validate != PeerProof.Token && Token is not null)
        {
            yield return route.Section.FaultAt("token", "nothing asks for it; set validate = token");
        }

        if (Validate != PeerProof.None && allowsUnvalidated)
        {
            yield return route.Section.FaultAt("allow-unvalidated", "nothing asks for it; set validate = none");
        }

        if (Validate == PeerProof.None && !allowsUnvalidated && IsOpen(context, route))
        {
            yield return route.Section.FaultAt("validate",
                "'none' is for listeners on loopback, or needs allow-unvalidated: whoever forges a source address "
                + $"would {risk}; use round-trip or token");
        }
    }

    private static bool IsOpen(RuleContext context, RouteOptions route) =>
        context.ListenersOf(route).SelectMany(static listener => listener.Binds).Any(static bind => bind.IsOpenUdp);
}

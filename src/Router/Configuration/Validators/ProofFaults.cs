using System.Net;
using System.Text;

namespace Router.Configuration.Validators;

/// <summary>What is wrong with how a route has its UDP peers prove themselves: the part of a rule that routes
/// share.</summary>
internal static class ProofFaults
{
    private const int TokenBytesMax = 64;

    /// <param name="risk">What a forged source address would do.</param>
    public static IEnumerable<ConfigurationFault> Of(
        RuleContext context, RouteOptions route, ProofOptions proof, string risk)
    {
        var (validate, token, allowsUnvalidated) = (proof.Validate, proof.Token, proof.AllowUnvalidated.Count > 0);
        var bytes = Encoding.UTF8.GetByteCount(token ?? "");
        if (validate == ProofChoice.Token && bytes is 0 or > TokenBytesMax)
        {
            yield return route.Section.FaultAt(
                "token", $"validate = token needs a token of 1 to {TokenBytesMax} bytes");
        }

        if (validate != ProofChoice.Token && token is not null)
        {
            yield return route.Section.FaultAt("token", "nothing asks for it; set validate = token");
        }

        if (validate != ProofChoice.None && allowsUnvalidated)
        {
            yield return route.Section.FaultAt("allow-unvalidated", "nothing asks for it; set validate = none");
        }

        if (validate == ProofChoice.None && !allowsUnvalidated && IsOpen(context, route))
        {
            yield return route.Section.FaultAt("validate",
                "'none' is for listeners on loopback, or needs allow-unvalidated: whoever forges a source address "
                + $"would {risk}; use round-trip or token");
        }
    }

    private static bool IsOpen(RuleContext context, RouteOptions route) =>
        context.ListenersOf(route).SelectMany(static listener => listener.Binds).Any(static bind =>
            bind.Transport == Transport.Udp && !IPAddress.IsLoopback(Endpoints.Plain(bind.EndPoint.Address)));
}

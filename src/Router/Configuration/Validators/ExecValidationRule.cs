using System.Net;

namespace Router.Configuration.Validators;

/// <summary>A forged datagram must not start a process: UDP peers prove themselves, or come from where nobody
/// forges.</summary>
internal sealed class ExecValidationRule : IConfigurationRule
{
    private const int TokenBytesMax = 64;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ExecRouteOptions>())
        {
            var bytes = System.Text.Encoding.UTF8.GetByteCount(route.Token ?? "");
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
                    "'none' is for listeners on loopback, or needs allow-unvalidated: whoever forges a source "
                    + "address would start processes; use round-trip or token");
            }
        }
    }

    private static bool IsOpen(RuleContext context, ExecRouteOptions route) =>
        context.ListenersOf(route).SelectMany(static listener => listener.Binds).Any(static bind =>
            bind.Transport == Transport.Udp && !IPAddress.IsLoopback(Endpoints.Plain(bind.EndPoint.Address)));
}

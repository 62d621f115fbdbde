using Router.Configuration;

namespace Router.Routes;

/// <summary>A reply must fit one datagram.</summary>
internal sealed class ReplySizeRule : IConfigurationRule
{
    /// <summary>65,535 less the headers of IPv4 and UDP.</summary>
    public const int DatagramBytesMax = 65_507;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Routes
        .OfType<ReplyRouteOptions>()
        .Where(r => r.BytesMax > DatagramBytesMax)
        .Select(r => r.Section.FaultAt(r.Text is null ? "bytes" : "text",
            $"{r.BytesMax} bytes do not fit a datagram, which holds {DatagramBytesMax}"));
}

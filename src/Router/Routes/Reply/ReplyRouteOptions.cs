using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

internal sealed class ReplyRouteOptions : RouteOptions
{
    private readonly bool _hasText;
    private readonly bool _hasBytes;

    public ReplyRouteOptions(SectionReader route)
        : base(route)
    {
        if (route.OptionalText("text", Reload.NewSessions) is { } text)
        {
            _hasText = true;
            if (ReplyText.TryParse(text, out var parts, out var fault))
            {
                Parts = parts;
            }
            else
            {
                route.Fault("text", fault!);
            }
        }

        if (route.OptionalText("bytes", Reload.NewSessions, Plain) is { } hex)
        {
            _hasBytes = true;
            try
            {
                Parts = [ReplyPart.Of(Convert.FromHexString(hex))];
            }
            catch (FormatException)
            {
                route.Fault("bytes", "an even number of hexadecimal digits is wanted, blanks between them at will");
            }
        }
    }

    /// <summary>The answer, part by part: of <c>text</c>, or <c>bytes</c> as one; none for an empty answer.</summary>
    public IReadOnlyList<ReplyPart> Parts { get; } = [];

    public override bool AnswersAnybody => true;

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (_hasText == _hasBytes)
        {
            yield return _hasText
                ? Section.FaultAt("bytes", "a reply has text or bytes, not both")
                : Section.FaultAt("text", "a reply needs text or bytes");
        }

        var longest = Parts.Sum(static part => part.BytesMax);
        if (longest > SessionContext.DatagramBytesMax)
        {
            yield return Section.FaultAt(_hasText ? "text" : "bytes",
                $"{longest} bytes do not fit a datagram, which holds {SessionContext.DatagramBytesMax}");
        }
    }

    public override Route Build(RouteEnvironment environment) => new ReplyRoute(Name, new ReplyTemplate(Parts));

    private static string Plain(string hex) => string.Concat(hex.Where(c => c != ' ')).ToUpperInvariant();
}

using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Every payload is answered with the same bytes, or by one template.</summary>
internal sealed class ReplyRouteOptions : RouteOptions
{
    public ReplyRouteOptions(SectionReader route)
        : base(route)
    {
        IReadOnlyList<ReplyPart> parts = [];
        Text = route.OptionalText("text", Reload.NewSessions);
        if (Text is not null && !ReplyText.TryParse(Text, out parts, out var fault))
        {
            route.Fault("text", fault!);
        }

        if (route.OptionalText("bytes", Reload.NewSessions, Plain) is { } hex)
        {
            try
            {
                var bytes = Convert.FromHexString(hex);
                parts = [ReplyPart.Of(bytes)];
            }
            catch (FormatException)
            {
                route.Fault("bytes", "an even number of hexadecimal digits is wanted, blanks between them at will");
            }
        }

        Parts = parts;
    }

    /// <summary>The key <c>text</c>, or null.</summary>
    public string? Text { get; }

    /// <summary>The answer, part by part: of the text, or the key <c>bytes</c> as one; none for an empty
    /// answer.</summary>
    public IReadOnlyList<ReplyPart> Parts { get; }

    /// <summary>The most bytes an answer can have; at most 65,507.</summary>
    public int BytesMax => Parts.Sum(static part => part.BytesMax);

    private static string Plain(string hex) => string.Concat(hex.Where(c => c != ' ')).ToUpperInvariant();

    public override bool AnswersAnybody => true;

    public override Route Build(RouteEnvironment environment) => new ReplyRoute(Name, new ReplyTemplate(Parts));
}

using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Path expressions: <c>a.b."c.d"</c>. Dots outside quotes part elements; blanks inside are kept.</summary>
internal static class HoconPath
{
    public static IReadOnlyList<string> Parse(string path)
    {
        if (path.Length > 0 && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            return [path];
        }

        var tokens = HoconLexer.Tokenize(path, "(path)");
        return Parse(tokens, 0, tokens.Count - 1);
    }

    /// <summary>The path that tokens from <paramref name="start"/> up to <paramref name="end"/> spell.</summary>
    public static IReadOnlyList<string> Parse(List<HoconToken> tokens, int start, int end)
    {
        while (start < end && tokens[start].Kind == HoconTokenKind.Blank)
        {
            start++;
        }

        while (end > start && tokens[end - 1].Kind == HoconTokenKind.Blank)
        {
            end--;
        }

        var elements = new List<string>();
        var element = new StringBuilder();
        var hasContent = false;
        for (var i = start; i < end; i++)
        {
            var token = tokens[i];
            switch (token.Kind)
            {
                case HoconTokenKind.Quoted:
                    element.Append(token.Text);
                    hasContent = true;
                    break;
                case HoconTokenKind.Blank or HoconTokenKind.Unquoted or HoconTokenKind.Number
                    or HoconTokenKind.True or HoconTokenKind.False or HoconTokenKind.Null:
                    Split(token, elements, element, ref hasContent);
                    break;
                default:
                    throw new HoconException(token.Origin, token.Kind is HoconTokenKind.OpenSubstitution
                        or HoconTokenKind.OpenOptionalSubstitution
                        ? "a substitution cannot stand inside a key or another substitution"
                        : $"{Name(token)} cannot stand in a path; quote it if it is part of a key");
            }
        }

        EndElement(tokens[Math.Min(end, tokens.Count - 1)].Origin, elements, element, ref hasContent);
        return elements;
    }

    /// <summary>The path as one would have to write it.</summary>
    public static string Print(IEnumerable<string> path) => string.Join('.', path.Select(PrintElement));

    private static string PrintElement(string element) =>
        element.Length > 0 && element.All(c => char.IsLetterOrDigit(c) || c is '-' or '_')
            ? element
            : HoconJson.Quote(element);

    private static void Split(HoconToken token, List<string> elements, StringBuilder element, ref bool hasContent)
    {
        foreach (var c in token.Text)
        {
            if (c == '.')
            {
                EndElement(token.Origin, elements, element, ref hasContent);
            }
            else
            {
                element.Append(c);
                hasContent = true;
            }
        }
    }

    private static void EndElement(
        HoconOrigin origin, List<string> elements, StringBuilder element, ref bool hasContent)
    {
        if (!hasContent)
        {
            throw new HoconException(
                origin, "a path has an empty element: it must not begin or end with '.', nor hold two in a row");
        }

        elements.Add(element.ToString());
        if (elements.Count > HoconLimits.Depth)
        {
            throw new HoconException(origin, $"a path has more than {HoconLimits.Depth} elements");
        }

        element.Clear();
        hasContent = false;
    }

    public static string Name(HoconToken token) => token.Kind switch
    {
        HoconTokenKind.End => "the end of the text",
        HoconTokenKind.Newline => "the end of the line",
        HoconTokenKind.Blank => "a blank",
        _ => $"'{token.Text}'",
    };
}

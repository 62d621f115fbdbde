using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Path expressions: <c>a.b."c.d"</c>. Dots outside quotes part elements; blanks inside are kept.</summary>
internal static class HoconPath
{
    /// <summary>The path as one would have to write it.</summary>
    public static string Print(IEnumerable<string> path) => string.Join('.', path.Select(PrintElement));

    /// <summary>The path of a key below another path, both as one would have to write them.</summary>
    public static string Below(string path, string key) => $"{path}.{PrintElement(key)}";

    private static string PrintElement(string element) =>
        element.Length > 0 && element.All(c => char.IsLetterOrDigit(c) || c is '-' or '_')
            ? element
            : HoconJson.Quote(element);

    public static string Name(HoconToken token) => token.Kind switch
    {
        HoconTokenKind.End => "the end of the text",
        HoconTokenKind.Newline => "the end of the line",
        HoconTokenKind.Blank => "a blank",
        _ => $"'{token.Text}'",
    };
}

/// <summary>Makes a path of tokens as they come.</summary>
internal sealed class HoconPathReader
{
    private readonly List<string> _elements = [];
    private readonly StringBuilder _element = new();
    private HoconToken? _blank;
    private bool _hasContent;
    private bool _hasStarted;

    /// <summary>Whether the token can be part of a path.</summary>
    public static bool Takes(HoconTokenKind kind) => kind is HoconTokenKind.Blank or HoconTokenKind.Quoted
        or HoconTokenKind.Unquoted or HoconTokenKind.Number or HoconTokenKind.True or HoconTokenKind.False
        or HoconTokenKind.Null;

    public void Add(HoconToken token)
    {
        if (token.Kind == HoconTokenKind.Blank)
        {
            _blank = token;
            return;
        }

        if (!Takes(token.Kind))
        {
            throw new HoconException(token.Origin, token.Kind is HoconTokenKind.OpenSubstitution
                or HoconTokenKind.OpenOptionalSubstitution
                ? "a substitution cannot stand inside a key or another substitution"
                : $"{HoconPath.Name(token)} cannot stand in a path; quote it if it is part of a key");
        }

        // Blanks count between other tokens only: those at either end of the path are dropped.
        if (_blank is { } blank && _hasStarted)
        {
            _element.Append(blank.Text);
            _hasContent = true;
        }

        _blank = null;
        _hasStarted = true;
        if (token.Kind == HoconTokenKind.Quoted)
        {
            _element.Append(token.Text);
            _hasContent = true;
        }
        else
        {
            Split(token);
        }
    }

    /// <param name="origin">Behind the path, for messages.</param>
    public IReadOnlyList<string> End(HoconOrigin origin)
    {
        EndElement(origin);
        return [.. _elements];
    }

    private void Split(HoconToken token)
    {
        foreach (var c in token.Text)
        {
            if (c == '.')
            {
                EndElement(token.Origin);
            }
            else
            {
                _element.Append(c);
                _hasContent = true;
            }
        }
    }

    private void EndElement(HoconOrigin origin)
    {
        if (!_hasContent)
        {
            throw new HoconException(
                origin, "a path has an empty element: it must not begin or end with '.', nor hold two in a row");
        }

        _elements.Add(_element.ToString());
        if (_elements.Count > HoconLimits.Depth)
        {
            throw new HoconException(origin, $"a path has more than {HoconLimits.Depth} elements");
        }

        _element.Clear();
        _hasContent = false;
    }
}

using System.Text;

namespace Router.Tests.Tidy;

/// <summary>
/// A C# file and its code alone: comments, texts and characters blanked, every line still in its place.
/// </summary>
internal sealed class SourceFile
{
    private SourceFile(string path)
    {
        Path = path;
        Lines = Repository.ReadLines(path);
        Code = CodeOf(Repository.Read(path));
        CodeLines = Code.Split('\n');
    }

    /// <summary>Every C# file of the repository.</summary>
    public static IReadOnlyList<SourceFile> All { get; } =
        [.. Repository.Files("src", "*.cs").Select(static path => new SourceFile(path))];

    /// <summary>From the repository's root, '/' between.</summary>
    public string Path { get; }

    public string[] Lines { get; }

    public string Code { get; }

    public string[] CodeLines { get; }

    /// <summary>Blanks what is not code. What stands in the holes of interpolated texts is blanked with them.</summary>
    internal static string CodeOf(string source)
    {
        var code = new StringBuilder(source.Length);
        for (var i = 0; i < source.Length;)
        {
            var end = EndOfBlank(source, i);
            for (; i < end; i++)
            {
                code.Append(source[i] == '\n' ? '\n' : ' ');
            }

            if (i < source.Length && EndOfBlank(source, i) == i)
            {
                code.Append(source[i++]);
            }
        }

        return code.ToString();
    }

    /// <returns>Where the comment, text or character that begins at <paramref name="at"/> ends; the same if none
    /// does.</returns>
    private static int EndOfBlank(string source, int at)
    {
        var rest = source.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            return at + IndexOrEnd(rest, "\n");
        }

        if (rest.StartsWith("/*"))
        {
            return at + Math.Min(rest.Length, IndexOrEnd(rest, "*/") + 2);
        }

        if (rest[0] == '\'')
        {
            return EndOfQuoted(source, at, '\'');
        }

        if (rest[0] != '"')
        {
            return at;
        }

        var quotes = rest.IndexOfAnyExcept('"') is >= 0 and var count ? count : rest.Length;
        if (quotes >= 3)
        {
            var fence = new string('"', quotes);
            return at + Math.Min(rest.Length, quotes + IndexOrEnd(rest[quotes..], fence) + quotes);
        }

        var before = source.AsSpan(0, at);
        var isVerbatim = before.EndsWith("@") || before.EndsWith("@$");
        return isVerbatim ? EndOfVerbatim(source, at) : EndOfQuoted(source, at, '"');
    }

    private static int EndOfQuoted(string source, int at, char quote)
    {
        for (var i = at + 1; i < source.Length; i++)
        {
            if (source[i] == '\\')
            {
                i++;
            }
            else if (source[i] == quote || source[i] == '\n')
            {
                return i + 1;
            }
        }

        return source.Length;
    }

    private static int EndOfVerbatim(string source, int at)
    {
        for (var i = at + 1; i < source.Length; i++)
        {
            if (source[i] == '"' && (i + 1 == source.Length || source[i + 1] != '"'))
            {
                return i + 1;
            }

            if (source[i] == '"')
            {
                i++;
            }
        }

        return source.Length;
    }

    private static int IndexOrEnd(ReadOnlySpan<char> text, string sought) =>
        text.IndexOf(sought, StringComparison.Ordinal) is >= 0 and var index ? index : text.Length;
}

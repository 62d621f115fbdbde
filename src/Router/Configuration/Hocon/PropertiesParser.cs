using System.Globalization;
using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>Java's properties format: one text a line, keys split on every dot, values always text.</summary>
internal static class PropertiesParser
{
    /// <summary>Where a key is both a text and the parent of others, the parent wins.</summary>
    public static ObjectNode Parse(string text, string file, HoconLoader loader)
    {
        var all = new SortedDictionary<string, (string Value, HoconOrigin Origin)>(StringComparer.Ordinal);
        var number = 0;
        using var lines = new StringReader(text.StartsWith('\ufeff') ? text[1..] : text);
        for (var first = lines.ReadLine(); first is not null; first = lines.ReadLine())
        {
            var origin = new HoconOrigin(file, ++number, 1);
            var line = LogicalLine(first, lines, ref number);
            if (line.Length > 0)
            {
                var (key, value) = KeyAndValue(line, origin);
                all[key] = (value, origin);
                loader.Count(origin, 1);
            }
        }

        // Sorted, a parent comes before its children.
        var root = new ObjectNode(new HoconOrigin(file, 1, 1));
        foreach (var (key, (value, origin)) in all.OrderBy(p => p.Key.Count(c => c == '.')))
        {
            var path = key.Split('.');
            if (path.Length > HoconLimits.Depth)
            {
                throw new HoconException(origin, $"a key has more than {HoconLimits.Depth} elements");
            }

            MakeRoom(root, path);
            var made = root.Set(path, new ScalarNode(new HoconScalar(HoconType.String, value, origin)), origin);
            loader.Count(origin, 2 + (made * HoconLimits.ObjectSize));
        }

        return root;
    }

    /// <summary>Takes away the text that stands where the path needs an object: it would hide what an including file
    /// has below the same key.</summary>
    private static void MakeRoom(ObjectNode root, string[] path)
    {
        var at = root;
        for (var i = 0; i < path.Length - 1 && at.EntriesOrNull(path[i]) is { Count: > 0 } entries; i++)
        {
            if (entries[^1].Value is not ObjectNode child)
            {
                entries.Clear();
                return;
            }

            at = child;
        }
    }

    /// <summary>Comments vanish; a line that ends in an odd number of backslashes goes on in the next.</summary>
    private static string LogicalLine(string first, StringReader lines, ref int number)
    {
        var line = Trimmed(first);
        if (line.StartsWith('#') || line.StartsWith('!') || !EndsInBackslash(line))
        {
            return line.StartsWith('#') || line.StartsWith('!') ? "" : line;
        }

        var whole = new StringBuilder();
        while (EndsInBackslash(line))
        {
            whole.Append(line, 0, line.Length - 1);
            line = lines.ReadLine() is { } next ? Trimmed(next) : "";
            number++;
        }

        return whole.Append(line).ToString();
    }

    private static string Trimmed(string line) => line.TrimEnd('\r').TrimStart(' ', '\t', '\f');

    private static bool EndsInBackslash(string line) => (line.Length - line.TrimEnd('\\').Length) % 2 == 1;

    private static (string Key, string Value) KeyAndValue(string line, HoconOrigin origin)
    {
        var end = 0;
        while (end < line.Length && line[end] is not ('=' or ':' or ' ' or '\t' or '\f'))
        {
            end += line[end] == '\\' ? 2 : 1;
        }

        end = Math.Min(end, line.Length);
        var value = line[end..].TrimStart(' ', '\t', '\f');
        if (value.StartsWith('=') || value.StartsWith(':'))
        {
            value = value[1..].TrimStart(' ', '\t', '\f');
        }

        return (Unescape(line[..end], origin), Unescape(value, origin));
    }

    private static string Unescape(string text, HoconOrigin origin)
    {
        if (!text.Contains('\\'))
        {
            return text;
        }

        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || ++i == text.Length)
            {
                plain.Append(i < text.Length ? text[i] : "");
                continue;
            }

            if (text[i] == 'u')
            {
                if (i + 4 >= text.Length || !ushort.TryParse(
                    text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
                {
                    throw new HoconException(origin, "\\u takes four hexadecimal digits");
                }

                plain.Append((char)unit);
                i += 4;
                continue;
            }

            plain.Append(text[i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', var other => other });
        }

        return plain.ToString();
    }
}

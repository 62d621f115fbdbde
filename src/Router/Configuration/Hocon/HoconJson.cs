using System.Text;
using Router.Diagnostics;

namespace Router.Configuration.Hocon;

/// <summary>Prints resolved values as JSON. What JSON demands is escaped, and what cannot be seen.</summary>
internal static class HoconJson
{
    /// <param name="indented">By two blanks; else all is on one line. No newline follows.</param>
    public static string Print(HoconValue value, bool indented = true)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var text = new StringWriter();
        Write(text, value, indented);
        return text.ToString();
    }

    /// <summary>Writes in pieces: a tree with its blanks may be larger than memory.</summary>
    internal static void Write(TextWriter writer, HoconValue value, bool indented = true)
    {
        var text = new Output(new StringBuilder(), writer);
        Print(text, value, indented ? 0 : -1);
        writer.Write(text.Text);
    }

    /// <summary>The text as a JSON string, quotes included.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2);
        Quote(quoted, text);
        return quoted.ToString();
    }

    /// <summary>Text on its way to a writer, in pieces that are worth a call.</summary>
    private readonly record struct Output(StringBuilder Text, TextWriter Writer)
    {
        public void Flush()
        {
            if (Text.Length > FlushLength)
            {
                Writer.Write(Text);
                Text.Clear();
            }
        }
    }

    private const int FlushLength = 32 << 10;

    /// <summary>Levels that are indented: below them more blanks would help nobody, and cost more than the rest.
    /// </summary>
    private const int IndentedLevels = 32;

    /// <param name="value">At most <see cref="HoconLimits.Depth"/> levels: recursion is safe.</param>
    /// <param name="indent">The level, or -1 for one line.</param>
    private static void Print(Output output, HoconValue value, int indent)
    {
        var text = output.Text;
        switch (value)
        {
            case HoconObject { Fields.Count: > 0 } all:
                PrintAll(output, '{', '}', all.Fields, indent, static (output, field, inner) =>
                {
                    Quote(output.Text, field.Name);
                    output.Text.Append(inner < 0 ? ":" : ": ");
                    Print(output, field.Value, inner);
                });
                break;
            case HoconArray { Elements.Count: > 0 } all:
                PrintAll(output, '[', ']', all.Elements, indent, Print);
                break;
            case HoconObject:
                text.Append("{}");
                break;
            case HoconArray:
                text.Append("[]");
                break;
            case HoconScalar scalar when scalar.Type == HoconType.String:
                Quote(text, scalar.Text);
                break;
            case HoconScalar scalar:
                text.Append(scalar.Type == HoconType.Number ? HoconNumber.ToJson(scalar.Text) : scalar.Text);
                break;
        }
    }

    private static void PrintAll<T>(
        Output output, char open, char close, IReadOnlyList<T> all, int indent, Action<Output, T, int> one)
    {
        var text = output.Text;
        var inner = indent < 0 ? indent : indent + 1;
        text.Append(open);
        for (var i = 0; i < all.Count; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            NewLine(text, inner);
            one(output, all[i], inner);
            output.Flush();
        }

        NewLine(text, indent);
        text.Append(close);
    }

    private static void NewLine(StringBuilder text, int indent)
    {
        if (indent >= 0)
        {
            text.Append('\n').Append(' ', Math.Min(indent, IndentedLevels) * 2);
        }
    }

    private static void Quote(StringBuilder quoted, string text)
    {
        quoted.Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '"' or '\\')
            {
                quoted.Append('\\').Append(c);
            }
            else if (c == '\n')
            {
                quoted.Append("\\n");
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                quoted.Append(c).Append(text[++i]);
            }
            else if (char.IsSurrogate(c) || !LineText.IsPrintable(new Rune(c)))
            {
                quoted.Append("\\u").Append(((int)c).ToString("x4"));
            }
            else
            {
                quoted.Append(c);
            }
        }

        quoted.Append('"');
    }
}

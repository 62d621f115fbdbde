using System.Text;

namespace Router.Configuration;

/// <summary>What a placeholder of a reply's text stands for.</summary>
internal enum ReplyField
{
    /// <summary>No placeholder: the bytes themselves.</summary>
    None,

    /// <summary>The peer's endpoint.</summary>
    Peer,

    /// <summary>Now, in UTC.</summary>
    Time,

    /// <summary>Payloads of the session so far, the one that is answered included.</summary>
    Count,
}

/// <summary>A part of a reply: bytes, or a placeholder.</summary>
/// <param name="Field">What stands here.</param>
/// <param name="Literal">The bytes; empty for a placeholder.</param>
internal readonly record struct ReplyPart(ReplyField Field, ReadOnlyMemory<byte> Literal)
{
    /// <summary>The most bytes the part can become.</summary>
    public int BytesMax => Field switch
    {
        ReplyField.Peer => 128,   // "unix:" and a name of 107 bytes; "[", IPv6 with a zone, "]:65535" are 64
        ReplyField.Time => 24,    // 2026-01-31T23:59:59.999Z
        ReplyField.Count => 19,   // 2^63 - 1
        _ => Literal.Length,
    };
}

/// <summary>
/// Reads a reply's text: <c>{peer}</c>, <c>{time}</c> and <c>{count}</c> stand for values, <c>{{</c> and <c>}}</c> for
/// braces.
/// </summary>
internal static class ReplyText
{
    private static readonly string[] Names = ["peer", "time", "count"];

    /// <param name="text">As configured.</param>
    /// <param name="parts">Neighbouring literals joined; empty when there is a fault.</param>
    /// <param name="fault">What is wrong and how to write it; null when nothing is.</param>
    public static bool TryParse(string text, out IReadOnlyList<ReplyPart> parts, out string? fault)
    {
        var made = new List<ReplyPart>();
        var literal = new StringBuilder();
        parts = [];
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is not ('{' or '}'))
            {
                literal.Append(c);
            }
            else if (i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
            }
            else if (c == '}')
            {
                fault = "a '}' that closes nothing; a brace of the text itself is written twice: }}";
                return false;
            }
            else
            {
                var end = text.IndexOf('}', i);
                if (end < 0)
                {
                    fault = "a '{' that is never closed; a brace of the text itself is written twice: {{";
                    return false;
                }

                var name = text[(i + 1)..end];
                if (FieldOf(name) is not { } field)
                {
                    fault = $"'{{{name}}}' is none of {{peer}}, {{time}}, {{count}}{Nearest.Hint(name, Names)}; "
                        + "a brace of the text itself is written twice: {{";
                    return false;
                }

                AddLiteral(made, literal);
                made.Add(new ReplyPart(field, default));
                i = end;
            }
        }

        AddLiteral(made, literal);
        parts = made;
        fault = null;
        return true;
    }

    private static ReplyField? FieldOf(string name) => name switch
    {
        "peer" => ReplyField.Peer,
        "time" => ReplyField.Time,
        "count" => ReplyField.Count,
        _ => null,
    };

    private static void AddLiteral(List<ReplyPart> parts, StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            parts.Add(new ReplyPart(ReplyField.None, Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }
}

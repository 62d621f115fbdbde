using System.Text;
using Router.Configuration;

namespace Router.Routes;

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
                if (FieldOf(name) is not { } part)
                {
                    fault = $"'{{{name}}}' is none of {{peer}}, {{time}}, {{count}}{Nearest.Hint(name, Names)}; "
                        + "a brace of the text itself is written twice: {{";
                    return false;
                }

                AddLiteral(made, literal);
                made.Add(part);
                i = end;
            }
        }

        AddLiteral(made, literal);
        parts = made;
        fault = null;
        return true;
    }

    private static ReplyPart? FieldOf(string name) => name switch
    {
        "peer" => ReplyPart.Peer,
        "time" => ReplyPart.Time,
        "count" => ReplyPart.Count,
        _ => null,
    };

    private static void AddLiteral(List<ReplyPart> parts, StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            parts.Add(ReplyPart.Of(Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }
}

using System.Collections;
using System.Text;

namespace Router.Diagnostics;

/// <summary>A line of an operator's own for each session that has ended: <c>{peer} {duration-ms:s} {upstream|none}</c>.
/// </summary>
/// <remarks>A variable may have a form behind ':' and, behind '|', what stands for a value that is not there, else "-".
/// <c>{{</c> and <c>}}</c> are braces. A value is escaped as within quotes, so that it can neither end them nor begin a
/// line.</remarks>
internal sealed class AccessFormat
{
    private readonly Piece[] _pieces;

    private AccessFormat(Piece[] pieces, string text) => (_pieces, Source) = (pieces, text);

    /// <summary>As it was written.</summary>
    public string Source { get; }

    /// <param name="text">As configured.</param>
    /// <param name="fault">What is wrong, at which character, and what may have been meant.</param>
    /// <param name="nearest">Of a word and those that there are: the hint at one of them, or nothing.</param>
    /// <returns>Null exactly if there is a fault.</returns>
    public static AccessFormat? Parse(
        string text, Func<string, IEnumerable<string>, string> nearest, out string? fault)
    {
        var (pieces, literal, at) = (new List<Piece>(), new StringBuilder(), 0);
        while (at < text.Length)
        {
            var c = text[at];
            if (c is '{' or '}' && at + 1 < text.Length && text[at + 1] == c)
            {
                literal.Append(c);
                at += 2;
            }
            else if (c != '{')
            {
                if (c == '}' || char.IsControl(c))
                {
                    fault = c == '}'
                        ? $"character {at + 1}: a '}}' without its '{{'; a brace itself is written twice"
                        : $"character {at + 1}: a control character, which would break the line";
                    return null;
                }

                literal.Append(c);
                at++;
            }
            else
            {
                var end = text.IndexOf('}', at);
                fault = end < 0
                    ? $"character {at + 1}: '{{' has no '}}'; a brace itself is written twice"
                    : Take(text[(at + 1)..end], at + 2, literal.ToString(), nearest, pieces);
                if (fault is not null)
                {
                    return null;
                }

                literal.Clear();
                at = end + 1;
            }
        }

        fault = null;
        pieces.Add(new Piece(literal.ToString(), null, null, ""));
        return new AccessFormat([.. pieces], text);
    }

    /// <param name="closed">The fields of <c>session-closed</c>.</param>
    public string Text(IReadOnlyList<KeyValuePair<string, object?>> closed)
    {
        var line = new StringBuilder(256);
        foreach (var piece in _pieces)
        {
            line.Append(piece.Literal);
            if (piece.Variable is { } variable)
            {
                line.Append(variable.Value(closed) is { } value
                    ? LineEncoder.Readable.Encode(piece.Form!(value))
                    : piece.Otherwise);
            }
        }

        return line.ToString();
    }

    /// <summary>One variable, with what stands before it.</summary>
    /// <returns>What is wrong, or null.</returns>
    private static string? Take(
        string text, int place, string literal, Func<string, IEnumerable<string>, string> nearest, List<Piece> pieces)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        var (said, otherwise) = bar < 0 ? (text, "-") : (text[..bar], text[(bar + 1)..]);
        var colon = said.IndexOf(':', StringComparison.Ordinal);
        var (name, form) = colon < 0 ? (said, null) : (said[..colon], said[(colon + 1)..]);
        if (!AccessVariables.All.TryGetValue(name, out var variable))
        {
            return $"character {place}: there is no '{name}'{nearest(name, AccessVariables.All.Keys)}; "
                + "docs/logs.md lists the variables";
        }

        var forms = AccessForms.Of(variable.Kind);
        if (form is not null && !forms.ContainsKey(form))
        {
            return $"character {place + name.Length + 1}: '{form}' is no form of {name}, which has "
                + $"{string.Join(", ", forms.Keys)}{nearest(form, forms.Keys)}";
        }

        pieces.Add(new Piece(literal, variable, form is null ? forms.First().Value : forms[form], otherwise));
        return null;
    }

    private readonly record struct Piece(
        string Literal, AccessVariable? Variable, Func<object, string>? Form, string Otherwise);
}

/// <summary>How records of sessions look.</summary>
/// <param name="Format">Null for the formats of the sinks.</param>
/// <param name="Fields">Those that are written, in this order; empty for those of the event.</param>
internal sealed record AccessShape(AccessFormat? Format, IReadOnlyList<AccessVariable> Fields)
{
    public bool IsPlain => Format is null && Fields.Count == 0;
}

/// <summary>The record of a session as the operator wants it. What it is made of does not change, and its texts are
/// made when it is written.</summary>
internal sealed class AccessRecord(AccessShape shape, IReadOnlyList<KeyValuePair<string, object?>> closed)
    : IReadOnlyList<KeyValuePair<string, object?>>, ILineText
{
    public int Count => shape.Fields.Count > 0 ? shape.Fields.Count : closed.Count;

    public string? Text => shape.Format?.Text(closed);

    public KeyValuePair<string, object?> this[int index] => shape.Fields.Count > 0
        ? new(shape.Fields[index].Name, shape.Fields[index].Value(closed))
        : closed[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For the log of a program that hosts the router.</summary>
    public override string ToString() => Text ?? string.Join(' ', this
        .Where(static field => !LogRecord.IsTemplate(field.Key))
        .Select(static field => $"{LogFields.KeyOf(field.Key)}="
            + (field.Value is null ? "-" : LineText.Escape(LogFields.TextOf(field.Value))))
        .Prepend("session-closed"));
}

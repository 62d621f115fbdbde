namespace Router.Configuration.Hocon;

/// <summary>JSON's numbers, and what HOCON also reads as one: <c>007</c>, <c>1.</c>, <c>-.5</c>.</summary>
internal static class HoconNumber
{
    public static bool IsNumber(ReadOnlySpan<char> text)
    {
        var at = text.StartsWith("-") ? 1 : 0;
        var whole = Digits(text, ref at);
        var fraction = 0;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            fraction = Digits(text, ref at);
        }

        if (whole + fraction == 0)
        {
            return false;
        }

        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            if (at < text.Length && text[at] is '+' or '-')
            {
                at++;
            }

            if (Digits(text, ref at) == 0)
            {
                return false;
            }
        }

        return at == text.Length;
    }

    /// <summary>The same number as JSON spells it: no leading zeros, digits on both sides of the point.</summary>
    public static string ToJson(string text)
    {
        var at = text.StartsWith('-') ? 1 : 0;
        var start = at;
        var whole = Digits(text, ref at);
        var digits = text.AsSpan(start, whole).TrimStart('0');
        var rest = text.AsSpan(at);
        if (rest.StartsWith(".") && (rest.Length == 1 || !char.IsAsciiDigit(rest[1])))
        {
            rest = rest[1..];
        }

        return string.Concat(text.AsSpan(0, start), digits.IsEmpty ? "0" : digits, rest);
    }

    private static int Digits(ReadOnlySpan<char> text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        return at - start;
    }
}

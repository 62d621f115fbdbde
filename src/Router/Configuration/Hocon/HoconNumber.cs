using System.Text.RegularExpressions;

namespace Router.Configuration.Hocon;

/// <summary>JSON's numbers, and what HOCON also reads as one: <c>007</c>, <c>1.</c>, <c>-.5</c>.</summary>
internal static partial class HoconNumber
{
    private const int TimeoutMs = 10_000;

    public static bool IsNumber(ReadOnlySpan<char> text) => Parts().IsMatch(text);

    /// <summary>The same number as JSON spells it: no leading zeros, digits on both sides of the point.</summary>
    public static string ToJson(string number)
    {
        var parts = Parts().Match(number).Groups;
        var whole = parts["whole"].Length == 0 ? "0" : parts["whole"].Value;
        var fraction = parts["fraction"].Length == 0 ? "" : $".{parts["fraction"]}";
        return $"{parts["sign"]}{whole}{fraction}{parts["exponent"]}";
    }

    // Atomic groups: millions of digits are scanned once.
    [GeneratedRegex(
        @"^(?=-?\.?[0-9])(?<sign>-?)(?>0*)(?<whole>(?>[0-9]*))"
        + @"(?:\.(?<fraction>(?>[0-9]*)))?(?<exponent>[eE][+-]?[0-9]+)?\z",
        RegexOptions.CultureInvariant, TimeoutMs)]
    private static partial Regex Parts();
}

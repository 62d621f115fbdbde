using System.Globalization;
using System.Numerics;

namespace Router.Configuration.Hocon;

/// <summary>Durations and sizes: a number, blanks, and a unit of letters.</summary>
internal static class HoconUnits
{
    private static readonly Dictionary<string, long> Nanoseconds = TimeUnits(
        (1, ["ns", "nano", "nanosecond"]),
        (1_000, ["us", "micro", "microsecond"]),
        (1_000_000, ["", "ms", "milli", "millisecond"]),
        (1_000_000_000, ["s", "second"]),
        (60_000_000_000, ["m", "minute"]),
        (3_600_000_000_000, ["h", "hour"]),
        (86_400_000_000_000, ["d", "day"]));

    private static readonly Dictionary<string, BigInteger> Bytes = SizeUnits();

    /// <returns>Null with the reason why not.</returns>
    /// <remarks>Fractions of 100 ns, a <see cref="TimeSpan"/>'s unit, are rounded down.</remarks>
    public static TimeSpan? ParseDuration(string text, out string? reason)
    {
        if (!Split(text, out var number, out var unit, out reason))
        {
            return null;
        }

        if (!Nanoseconds.TryGetValue(unit, out var nanoseconds))
        {
            reason = $"'{unit}' is no unit of time (ns, us, ms, s, m, h, d, in lower case)";
            return null;
        }

        try
        {
            return TimeSpan.FromTicks((long)(number * nanoseconds / 100));
        }
        catch (OverflowException)
        {
            reason = "it is longer than can be counted";
            return null;
        }
    }

    /// <returns>Bytes, 0 to 2^63-1; null with the reason why not.</returns>
    public static long? ParseSize(string text, out string? reason)
    {
        if (!Split(text, out var number, out var unit, out reason))
        {
            return null;
        }

        if (!Bytes.TryGetValue(unit, out var factor))
        {
            reason = unit == "KB"
                ? "'KB' is no unit of size: write kB for 1000 bytes or KiB for 1024"
                : $"'{unit}' is no unit of size (B, kB, KiB, MB, MiB, GB, GiB and so on)";
            return null;
        }

        try
        {
            if (number >= 0)
            {
                return (long)(number * (decimal)factor);
            }
        }
        catch (OverflowException)
        {
            // Said below: the factors reach 1024^8, which a decimal holds, the product need not.
        }

        reason = "a size is 0 to 2^63-1 bytes";
        return null;
    }

    /// <summary>Whether it is a number alone, and not zero, which needs no unit.</summary>
    public static bool HasNoUnit(string text) =>
        Split(text, out var number, out var unit, out _) && unit.Length == 0 && number != 0;

    private static bool Split(string text, out decimal number, out string unit, out string? reason)
    {
        var trimmed = text.AsSpan().Trim();
        var end = trimmed.Length;
        while (end > 0 && char.IsLetter(trimmed[end - 1]))
        {
            end--;
        }

        unit = trimmed[end..].ToString();
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign
            | NumberStyles.AllowExponent;
        reason = decimal.TryParse(trimmed[..end].Trim(), Style, CultureInfo.InvariantCulture, out number)
            ? null
            : $"'{text}' is not a number with a unit";
        return reason is null;
    }

    /// <summary>Words of more than two letters have a plural.</summary>
    private static Dictionary<string, long> TimeUnits(params (long Nanoseconds, string[] Names)[] units) =>
        (from unit in units
         from name in unit.Names
         from spelling in name.Length > 2 ? new[] { name, name + "s" } : [name]
         select KeyValuePair.Create(spelling, unit.Nanoseconds)).ToDictionary(StringComparer.Ordinal);

    private static Dictionary<string, BigInteger> SizeUnits()
    {
        var units = new Dictionary<string, BigInteger>(StringComparer.Ordinal);
        foreach (var name in (string[])["", "B", "b", "byte", "bytes"])
        {
            units[name] = 1;
        }

        (string Letter, string Decimal, string Binary)[] powers =
        [
            ("k", "kilo", "kibi"), ("M", "mega", "mebi"), ("G", "giga", "gibi"), ("T", "tera", "tebi"),
            ("P", "peta", "pebi"), ("E", "exa", "exbi"), ("Z", "zetta", "zebi"), ("Y", "yotta", "yobi"),
        ];
        foreach (var (i, (letter, thousand, kibi)) in powers.Index())
        {
            var (lower, upper) = (letter.ToLowerInvariant(), letter.ToUpperInvariant());
            units[letter + "B"] = units[thousand + "byte"] = units[thousand + "bytes"] = BigInteger.Pow(1000, i + 1);
            foreach (var name in (string[])[upper, lower, upper + "i", upper + "iB", kibi + "byte", kibi + "bytes"])
            {
                units[name] = BigInteger.Pow(1024, i + 1);
            }
        }

        return units;
    }
}

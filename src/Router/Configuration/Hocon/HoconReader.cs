using System.Globalization;

namespace Router.Configuration.Hocon;

/// <summary>Reads a field's value as a type. What is of another is refused at the place of the field's key.</summary>
internal static class HoconReader
{
    public static string ReadText(this HoconField field, string wanted = "text") =>
        field.Value is HoconScalar { Type: not HoconType.Null } scalar
            ? scalar.Text
            : throw field.Refuse($"{wanted} is wanted, not {field.Value.TypeName}");

    public static bool ReadBoolean(this HoconField field)
    {
        var text = field.ReadText("a boolean");
        return text switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => throw field.Refuse($"'{text}' is not a boolean (true, yes, on, false, no, off)"),
        };
    }

    public static int ReadInteger(this HoconField field)
    {
        var text = field.ReadText("a whole number");
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint
            | NumberStyles.AllowExponent;
        if (!decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out var number)
            || number != decimal.Truncate(number))
        {
            throw field.Refuse($"'{text}' is not a whole number");
        }

        return number is >= int.MinValue and <= int.MaxValue
            ? (int)number
            : throw field.Refuse($"{text} is not within {int.MinValue} to {int.MaxValue}");
    }

    /// <param name="allowInfinite">Whether "infinite" is legal, as <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    public static TimeSpan ReadDuration(this HoconField field, bool allowInfinite)
    {
        var text = field.ReadText("a duration");
        if (text == "infinite")
        {
            return allowInfinite ? Timeout.InfiniteTimeSpan : throw field.Refuse("it cannot be infinite");
        }

        return HoconUnits.ParseDuration(text, out var reason) ?? throw field.Refuse(reason!);
    }

    /// <returns>Bytes.</returns>
    public static long ReadSize(this HoconField field) =>
        HoconUnits.ParseSize(field.ReadText("a size"), out var reason) ?? throw field.Refuse(reason!);

    public static HoconObject ReadObject(this HoconField field) =>
        field.Value as HoconObject ?? throw field.Refuse($"an object is wanted, not {field.Value.TypeName}");

    /// <summary>An array's elements, or the values of an object with numbers for keys in their order; else
    /// null.</summary>
    public static IReadOnlyList<HoconValue>? Elements(HoconValue value) => value switch
    {
        HoconArray array => array.Elements,
        HoconObject numbered when numbered.Fields.Any(static f => HoconObject.ElementIndex(f.Name) >= 0) =>
            [.. numbered.Fields
                .Where(static f => HoconObject.ElementIndex(f.Name) >= 0)
                .OrderBy(static f => HoconObject.ElementIndex(f.Name))
                .Select(static f => f.Value)],
        _ => null,
    };

    /// <summary>Where the key stands, or, if only reference.conf has it, another place, which the user can change.
    /// </summary>
    public static HoconOrigin OriginOr(this HoconField field, HoconOrigin other) =>
        field.KeyOrigin.File == ConfigurationLoader.ReferenceName ? other : field.KeyOrigin;

    public static HoconException Refuse(this HoconField field, string reason) => new(field.KeyOrigin, reason);
}

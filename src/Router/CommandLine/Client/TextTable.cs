using System.Globalization;
using System.Text.Json.Nodes;
using Router.Diagnostics;

namespace Router.CommandLine.Client;

/// <summary>A column of a table of JSON objects.</summary>
/// <param name="Name">Its head.</param>
/// <param name="Key">Of the objects; with <c>.</c> between the keys of one within another.</param>
/// <param name="Unit">How the value is written.</param>
internal readonly record struct Column(string Name, string Key, Unit Unit = Unit.Text);

internal enum Unit
{
    Text,
    Number,

    /// <summary>Bytes, by powers of 1024.</summary>
    Bytes,

    /// <summary>Milliseconds, as the two largest units that it has.</summary>
    Time,
}

/// <summary>Writes JSON objects as a table whose columns are as wide as they need.</summary>
internal static class TextTable
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromDays(1_000_000);

    public static void Write(TextWriter output, JsonNode? rows, params ReadOnlySpan<Column> columns)
    {
        var all = columns.ToArray();
        var lines = new List<string[]> { Array.ConvertAll(all, static column => column.Name) };
        lines.AddRange(
            (rows as JsonArray ?? []).Select(row => Array.ConvertAll(all, column => CellOf(row, column))));
        var widths = all.Select((_, at) => lines.Max(line => line[at].Length)).ToArray();
        foreach (var line in lines)
        {
            var cells = line.Select(
                (cell, at) => all[at].Unit == Unit.Text ? cell.PadRight(widths[at]) : cell.PadLeft(widths[at]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    /// <summary>A pair a line: the names on the left.</summary>
    public static void WritePairs(TextWriter output, JsonNode? of, params ReadOnlySpan<Column> columns)
    {
        var all = columns.ToArray();
        var width = all.Max(static column => column.Name.Length);
        foreach (var column in all)
        {
            output.WriteLine($"{column.Name.PadRight(width)}  {CellOf(of, column)}".TrimEnd());
        }
    }

    private static string CellOf(JsonNode? row, Column column)
    {
        var value = row;
        foreach (var key in column.Key.Split('.'))
        {
            value = (value as JsonObject)?[key];
        }

        return value switch
        {
            null => "-",
            JsonValue number when column.Unit != Unit.Text && number.TryGetValue<double>(out var amount) =>
                Format(amount, column.Unit),
            JsonArray list => string.Join(' ', list.Select(static item => LineText.Escape($"{item}"))),
            JsonObject pairs => string.Join(
                ' ', pairs.Select(static pair => LineText.Escape($"{pair.Key}={pair.Value}"))),
            _ => LineText.Escape(value.ToString()),
        };
    }

    private static string Format(double amount, Unit unit) => unit switch
    {
        Unit.Bytes => Bytes(amount),
        Unit.Time => Time(amount),
        _ => amount.ToString(amount == Math.Floor(amount) ? "0" : "0.##", CultureInfo.InvariantCulture),
    };

    internal static string Bytes(double amount)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var unit = 0;
        while (amount >= 1024 && unit < units.Length - 1)
        {
            amount /= 1024;
            unit++;
        }

        var digits = unit == 0 || amount >= 100 ? "0" : "0.0";
        return $"{amount.ToString(digits, CultureInfo.InvariantCulture)} {units[unit]}";
    }

    /// <param name="milliseconds">Of a log that others have written, too, so any number.</param>
    internal static string Time(double milliseconds)
    {
        var time = TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, TimeMax.TotalMilliseconds));
        return FormattableString.Invariant(time switch
        {
            { TotalSeconds: < 1 } => $"{time.TotalMilliseconds:0}ms",
            { TotalMinutes: < 1 } => $"{time.TotalSeconds:0.0}s",
            { TotalHours: < 1 } => $"{time.Minutes}m{time.Seconds:00}s",
            { TotalDays: < 1 } => $"{time.Hours}h{time.Minutes:00}m",
            _ => $"{(int)time.TotalDays}d{time.Hours:00}h",
        });
    }
}

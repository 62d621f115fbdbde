using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>The words, keys and limits of log lines, shared by both formats.</summary>
internal static class LogFields
{
    /// <summary>The most bytes of UTF-8 that a field's value has; what is longer is cut and ends in an
    /// ellipsis.</summary>
    public const int ValueBytesMax = 1024;

    /// <summary>The most fields of a line; what a caller adds beyond is left out.</summary>
    public const int FieldsMax = 64;

    private const int KeyCharsMax = 64;

    /// <summary>Keys are constants of the code, so there are few. Beyond this many they are made anew each
    /// time.</summary>
    private const int KeysKeptMax = 1024;

    private const char Ellipsis = '\u2026';
    private const int EllipsisBytes = 3;

    private static readonly ConcurrentDictionary<string, string> Keys = new(StringComparer.Ordinal);

    /// <summary>BytesIn and bytesIn are bytes-in: lower-case ASCII letters, digits and '-' only.</summary>
    public static string KeyOf(string name)
    {
        if (Keys.TryGetValue(name, out var key))
        {
            return key;
        }

        var kebab = Kebab.From(name.Length <= KeyCharsMax ? name : name[..KeyCharsMax]);
        key = string.Concat(kebab.Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-'));
        if (Keys.Count < KeysKeptMax)
        {
            Keys.TryAdd(name, key);
        }

        return key;
    }

    public static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        LogLevel.Critical => "critical",
        _ => "none",
    };

    /// <summary>ISO 8601, UTC, milliseconds.</summary>
    public static string TimeOf(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The value's text, of no culture, well-formed and of at most <see cref="ValueBytesMax"/>
    /// bytes.</summary>
    public static string TextOf(object value)
    {
        try
        {
            return Cap(value switch
            {
                string text => text,
                DateTimeOffset time => TimeOf(time),
                bool flag => flag ? "true" : "false",   // as in JSON
                IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
                _ => value.ToString() ?? "",
            });
        }
        catch (Exception e)
        {
            return "(" + e.GetType().Name + ")";   // a value whose ToString throws must not fail the caller
        }
    }

    /// <summary>Cuts between characters, never within one; lone surrogates become U+FFFD.</summary>
    public static string Cap(string text)
    {
        if (text.Length <= ValueBytesMax && Ascii.IsValid(text))
        {
            return text;
        }

        var result = new StringBuilder(Math.Min(text.Length, ValueBytesMax));
        var bytes = 0;
        var uncut = 0;   // length of what still leaves room for the ellipsis
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > ValueBytesMax)
            {
                result.Length = uncut;
                return result.Append(Ellipsis).ToString();
            }

            result.Append(rune.ToString());
            if (bytes <= ValueBytesMax - EllipsisBytes)
            {
                uncut = result.Length;
            }
        }

        return result.ToString();
    }
}

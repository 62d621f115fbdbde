using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Router.Diagnostics;

/// <summary>Text of others within a line of ours: what cannot be seen, starts a line, moves the cursor or turns the
/// direction of writing is shown as JSON would write it.</summary>
internal static class LineText
{
    /// <summary>Whether a reader sees the character, at its place. Formatting characters are none: the bidirectional
    /// ones of Unicode's annex 9, zero-width ones, soft hyphens; nor are letters and marks that show nothing.</summary>
    public static bool IsPrintable(Rune rune) => rune.IsAscii
        ? rune.Value is >= ' ' and <= '~'
        : Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            && !IsIgnorable(rune.Value);

    /// <summary>The text on one line; quotes and backslashes stay as they are.</summary>
    public static string Escape(string text)
    {
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var line = new StringBuilder(text.Length + 16);
        Span<char> escaped = stackalloc char[LineEncoder.EscapeCharsMax];
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsPrintable(rune))
            {
                line.Append(rune.ToString());
            }
            else
            {
                line.Append(escaped[..LineEncoder.Escape(rune, escaped)]);
            }
        }

        return line.ToString();
    }

    /// <summary>What Unicode's Default_Ignorable_Code_Point has beyond formatting characters and those that are not
    /// assigned: joiners, Hangul and Khmer fillers, variation selectors.</summary>
    private static bool IsIgnorable(int scalar) => scalar is 0x34f or 0x115f or 0x1160 or 0x17b4 or 0x17b5
        or (>= 0x180b and <= 0x180f) or 0x3164 or (>= 0xfe00 and <= 0xfe0f) or 0xffa0
        or (>= 0xe0100 and <= 0xe01ef);
}

/// <summary>Escapes the text of a JSON string that is to be read by people, too: an apostrophe stays one.</summary>
/// <param name="asciiOnly">Whether everything that is not ASCII is escaped; else what cannot be seen.</param>
internal sealed unsafe class LineEncoder(bool asciiOnly) : JavaScriptEncoder
{
    /// <summary>Two times <c>\uXXXX</c>.</summary>
    public const int EscapeCharsMax = 12;

    /// <summary>For lines that have to be one JSON object under every locale.</summary>
    public static LineEncoder Ascii { get; } = new(asciiOnly: true);

    /// <summary>For terminals that read UTF-8.</summary>
    public static LineEncoder Readable { get; } = new(asciiOnly: false);

    public override int MaxOutputCharactersPerInputCharacter => EscapeCharsMax;

    /// <returns>How many characters were written.</returns>
    public static int Escape(Rune rune, Span<char> destination)
    {
        const string Short = "\"\\\b\f\n\r\t";
        if (Short.IndexOf((char)rune.Value, StringComparison.Ordinal) is >= 0 and var index && rune.IsAscii)
        {
            (destination[0], destination[1]) = ('\\', "\"\\bfnrt"[index]);
            return 2;
        }

        Span<char> units = stackalloc char[2];
        var written = 0;
        foreach (var unit in units[..rune.EncodeToUtf16(units)])
        {
            destination[written..].TryWrite(CultureInfo.InvariantCulture, $"\\u{(int)unit:X4}", out var length);
            written += length;
        }

        return written;
    }

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar is '"' or '\\'
        || (unicodeScalar is < ' ' or > '~'
            && (asciiOnly || !Rune.IsValid(unicodeScalar) || !LineText.IsPrintable(new Rune(unicodeScalar))));

    /// <remarks>The caller vouches for <paramref name="textLength"/> characters at <paramref name="text"/>.</remarks>
    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var rest = new ReadOnlySpan<char>(text, textLength);
        while (Rune.DecodeFromUtf16(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done)
        {
            if (WillEncode(rune.Value))
            {
                break;
            }

            rest = rest[length..];
        }

        return rest.IsEmpty ? -1 : textLength - rest.Length;
    }

    /// <remarks>The caller vouches for <paramref name="bufferLength"/> characters at <paramref name="buffer"/>.
    /// </remarks>
    public override bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        Span<char> escaped = stackalloc char[EscapeCharsMax];
        var length = Escape(new Rune(unicodeScalar), escaped);
        var fits = escaped[..length].TryCopyTo(new Span<char>(buffer, bufferLength));
        numberOfCharactersWritten = fits ? length : 0;
        return fits;
    }
}

using System.Globalization;
using System.Text;
using Router.Diagnostics;

namespace Router.Tests.Diagnostics;

public sealed class LineFormatTests
{
    [Theory]
    [InlineData(LogFormat.Auto, true, typeof(JsonLineFormatter))]
    [InlineData(LogFormat.Auto, false, typeof(TextLineFormatter))]
    [InlineData(LogFormat.Json, false, typeof(JsonLineFormatter))]
    [InlineData(LogFormat.Text, true, typeof(TextLineFormatter))]
    internal void The_format_follows_the_terminal_unless_told_otherwise(
        LogFormat format, bool isRedirected, Type expected) =>
        Assert.IsType(expected, LineFormats.Of(format, isRedirected));

    /// <summary>All of them, since .NET's own tables say nothing of what is ignorable.</summary>
    [Fact]
    public void Nothing_is_written_to_a_text_log_that_takes_no_place_there_but_marks_upon_a_letter()
    {
        UnicodeCategory[] hidden =
        [
            UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.PrivateUse,
            UnicodeCategory.OtherNotAssigned, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator,
        ];
        var shown = Enumerable.Range(0x80, 0x110000 - 0x80)
            .Where(Rune.IsValid)
            .Select(static scalar => new Rune(scalar))
            .Where(LineText.IsPrintable)
            .ToList();

        Assert.DoesNotContain(shown, rune => hidden.Contains(Rune.GetUnicodeCategory(rune)));
        Assert.DoesNotContain(shown, static rune => rune.Value is 0x3164 or 0xfe0f or 0xffa0 or 0x34f or 0xe0100);
        Assert.Contains(new Rune('\u0301'), shown);
    }
}

using Router.Diagnostics;

namespace Router.Tests.Diagnostics;

public sealed class TextLineFormatterTests
{
    [Fact]
    public void A_line_reads_time_level_event_and_fields()
    {
        var logger = new LineLogger("Router", isText: true);

        ListenerLog.Drops(logger, "dns", "max-sessions", 7, atLeast: false, 10_000);

        Assert.Equal(
            "2026-02-03T03:05:06.789Z warning  drops listener=dns reason=max-sessions count=7 at-least=false " +
            "interval-ms=10000\n",
            Assert.Single(logger.Lines));
    }

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a=b", "\"a=b\"")]
    [InlineData("say \"hi\"\\", "\"say \\\"hi\\\"\\\\\"")]
    [InlineData("\u001b[2J", "\"\\u001B[2J\"")]
    [InlineData("a\r\nb", "\"a\\r\\nb\"")]
    [InlineData("\u2028\u009b", "\"\\u2028\\u009B\"")]
    [InlineData("\u202d\u202e\u2066\u2069\u061c", "\"\\u202D\\u202E\\u2066\\u2069\\u061C\"")]
    [InlineData("\u200b\u200e\u200f\u00ad\ufeff\u2060", "\"\\u200B\\u200E\\u200F\\u00AD\\uFEFF\\u2060\"")]
    [InlineData("\u034f\u115f\u1160\u17b4", "\"\\u034F\\u115F\\u1160\\u17B4\"")]
    [InlineData("\u180b\u180f\u3164\ufe00\ufe0f\uffa0", "\"\\u180B\\u180F\\u3164\\uFE00\\uFE0F\\uFFA0\"")]
    [InlineData("\U000e0100\U000e01ef", "\"\\uDB40\\uDD00\\uDB40\\uDDEF\"")]
    [InlineData("\U000e0041", "\"\\uDB40\\uDC41\"")]
    [InlineData("it's \u00e9 \U0001f984", "\"it's \u00e9 \U0001f984\"")]
    public void Odd_values_are_quoted_and_cannot_move_the_cursor_or_start_a_line(string value, string written)
    {
        var logger = new LineLogger("Router", isText: true);

        ListenerLog.AcceptResumed(logger, value, "-", 1);

        Assert.Equal(
            $"2026-02-03T03:05:06.789Z info     accept-resumed listener={written} address=- suspended-ms=1\n",
            Assert.Single(logger.Lines));
    }
}

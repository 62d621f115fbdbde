using Microsoft.Extensions.Logging.Console;
using Router.Diagnostics;

namespace Router.Tests.Diagnostics;

public sealed class RouterConsoleTests
{
    [Theory]
    [InlineData(LogFormat.Auto, true, "router-json")]
    [InlineData(LogFormat.Auto, false, "router-text")]
    [InlineData(LogFormat.Json, false, "router-json")]
    [InlineData(LogFormat.Text, true, "router-text")]
    internal void The_format_follows_the_terminal_unless_told_otherwise(
        LogFormat format, bool isRedirected, string name) =>
        Assert.Equal(name, RouterConsole.NameOf(format, isRedirected));

    [Fact]
    public void The_queue_is_bounded_and_drops_instead_of_blocking()
    {
        var options = RouterConsole.Options(LogFormat.Json, 77);
        Assert.Equal(ConsoleLoggerQueueFullMode.DropWrite, options.QueueFullMode);
        Assert.Equal(77, options.MaxQueueLength);
        Assert.Equal(JsonLineFormatter.FormatterName, options.FormatterName);
    }
}

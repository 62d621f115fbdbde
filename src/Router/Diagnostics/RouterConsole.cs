using Microsoft.Extensions.Logging.Console;

namespace Router.Diagnostics;

internal enum LogFormat
{
    /// <summary>Text when standard output is a terminal, else JSON.</summary>
    Auto = 0,

    Json,
    Text,
}

/// <summary>Puts log lines on standard output without ever blocking who logs.</summary>
internal static class RouterConsole
{
    /// <param name="format">One of ours.</param>
    /// <param name="queueLines">Lines that may wait to be written. Beyond, lines are dropped, and the console logger
    /// writes their number to standard error as soon as there is room again.</param>
    public static ConsoleLoggerOptions Options(LogFormat format, int queueLines) => new()
    {
        FormatterName = NameOf(format, Console.IsOutputRedirected),
        QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite,
        MaxQueueLength = queueLines,
    };

    /// <summary>The formatter to use; <paramref name="isRedirected"/>: standard output is not a terminal.</summary>
    public static string NameOf(LogFormat format, bool isRedirected) =>
        format == LogFormat.Json || (format == LogFormat.Auto && isRedirected)
            ? JsonLineFormatter.FormatterName
            : TextLineFormatter.FormatterName;
}

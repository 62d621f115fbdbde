using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Router.Diagnostics;

/// <summary>How log lines are written.</summary>
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
    /// <summary>
    /// Makes the console logger the router's: one of our formats, a bounded queue, lines beyond it dropped.
    /// </summary>
    /// <param name="queueLines">Lines that may wait to be written. Beyond, lines are dropped, and the console logger
    /// writes
    /// their number to standard error, as soon as there is room again.</param>
    public static ILoggingBuilder AddRouterConsole(this ILoggingBuilder builder, LogFormat format, int queueLines)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddConsoleFormatter<JsonLineFormatter, ConsoleFormatterOptions>();
        builder.AddConsoleFormatter<TextLineFormatter, ConsoleFormatterOptions>();
        return builder.AddConsole(console => Configure(console, format, queueLines));
    }

    /// <inheritdoc cref="AddRouterConsole"/>
    public static void Configure(ConsoleLoggerOptions console, LogFormat format, int queueLines)
    {
        console.FormatterName = NameOf(format, Console.IsOutputRedirected);
        console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        console.MaxQueueLength = queueLines;
    }

    /// <summary>The formatter to use; <paramref name="isRedirected"/>: standard output is not a terminal.</summary>
    public static string NameOf(LogFormat format, bool isRedirected) => format switch
    {
        LogFormat.Json => JsonLineFormatter.FormatterName,
        LogFormat.Text => TextLineFormatter.FormatterName,
        _ => isRedirected ? JsonLineFormatter.FormatterName : TextLineFormatter.FormatterName,
    };
}

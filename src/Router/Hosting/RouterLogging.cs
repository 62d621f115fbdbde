using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Router.Diagnostics;

namespace Router.Hosting;

/// <summary>The process's log, as configured; within a host it is the host's own.</summary>
internal static class RouterLogging
{
    /// <summary>Made by hand: a service collection for one console logger takes as long as reading the
    /// configuration.</summary>
    public static ILoggerFactory Create(Configuration.LogOptions options, TimeProvider time)
    {
        var console = new ConsoleLoggerOptions();
        RouterConsole.Configure(console, FormatOf(options.Format), options.Queue);
        var provider = new ConsoleLoggerProvider(
            new FixedOptions(console), [new JsonLineFormatter(time), new TextLineFormatter(time)]);
        return new LoggerFactory([provider], new LoggerFilterOptions { MinLevel = options.Level });
    }

    private static LogFormat FormatOf(Configuration.LogFormat format) => format switch
    {
        Configuration.LogFormat.Json => LogFormat.Json,
        Configuration.LogFormat.Text => LogFormat.Text,
        _ => LogFormat.Auto,
    };

    private sealed class FixedOptions(ConsoleLoggerOptions value) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => value;

        public ConsoleLoggerOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}

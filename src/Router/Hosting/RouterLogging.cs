using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Hosting;

/// <summary>The least severe level that is written; a reload may change it. Any thread.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile int _level = (int)level;

    public void Set(LogLevel level) => _level = (int)level;

    public bool Passes(LogLevel level) => (int)level >= _level;
}

/// <summary>The process's log, as configured; within a host it is the host's own.</summary>
internal static class RouterLogging
{
    /// <summary>Made by hand: a service collection for one console logger takes as long as reading the
    /// configuration.</summary>
    public static ILoggerFactory Create(
        Configuration.LogOptions options, LogThreshold threshold, TimeProvider time)
    {
        var console = new ConsoleLoggerOptions();
        RouterConsole.Configure(console, FormatOf(options.Format), options.Queue);
        var provider = new ConsoleLoggerProvider(
            new FixedOptions(console), [new JsonLineFormatter(time), new TextLineFormatter(time)]);
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Trace };
        filter.Rules.Add(new LoggerFilterRule(null, null, null, (_, _, level) => threshold.Passes(level)));
        return new LoggerFactory([provider], filter);
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

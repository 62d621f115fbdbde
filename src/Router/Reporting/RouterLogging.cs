using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>The least severe level that is written; a reload may change it. Any thread.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile int _level = (int)level;

    public void Set(LogLevel level) => _level = (int)level;

    public bool Passes(LogLevel level) => (int)level >= _level;
}

/// <summary>The log of the process; disposing it waits until what was logged is written.</summary>
/// <param name="factory">Owned.</param>
/// <param name="console">Its only provider.</param>
/// <param name="time">Tells whether a wait ran out.</param>
internal sealed class ProcessLog(ILoggerFactory factory, ConsoleLoggerProvider console, TimeProvider time) : IDisposable
{
    /// <summary>The provider waits 1.5 s for its writer each time it is disposed, and at once when that has ended.
    /// Longer than all of these nobody reads what is written.</summary>
    private const int WaitsMax = 6;

    private static readonly TimeSpan RanOut = TimeSpan.FromSeconds(1);

    public ILogger CreateLogger(string category) => factory.CreateLogger(category);

    public void Dispose()
    {
        factory.Dispose();
        for (var waits = 1; waits < WaitsMax; waits++)
        {
            var began = time.GetTimestamp();
            console.Dispose();
            if (time.GetElapsedTime(began) < RanOut)
            {
                break;
            }
        }
    }
}

/// <summary>The process's log, as configured; within a host it is the host's own.</summary>
internal static class RouterLogging
{
    /// <summary>Of the first router of a process; another's has its name behind it.</summary>
    public const string Category = "Router";

    /// <summary>Made by hand: a service collection for one console logger takes as long as reading the
    /// configuration.</summary>
    public static ProcessLog Create(Configuration.LogOptions options, LogThreshold threshold, TimeProvider time)
    {
        var console = new ConsoleLoggerOptions();
        RouterConsole.Configure(console, FormatOf(options.Format), options.Queue);
        var provider = new ConsoleLoggerProvider(
            new FixedOptions(console), [new JsonLineFormatter(time), new TextLineFormatter(time)]);
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Trace };
        filter.Rules.Add(new LoggerFilterRule(null, null, null, (_, _, level) => threshold.Passes(level)));
        return new ProcessLog(new LoggerFactory([provider], filter), provider, time);
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

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>The least severe level that is logged, which a reload may change. Any thread.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile int _level = (int)level;

    public void Set(LogLevel level) => _level = (int)level;

    public bool Passes(LogLevel level) => (int)level >= _level;
}

/// <summary>The log of the process. Disposing it waits until all lines are written.</summary>
/// <param name="factory">Owned.</param>
/// <param name="console">Its only provider.</param>
/// <param name="time">The clock.</param>
internal sealed class ProcessLog(ILoggerFactory factory, ConsoleLoggerProvider console, TimeProvider time) : IDisposable
{
    /// <summary>Each time the provider is disposed, it waits 1.5 s for its writer, unless that has ended. After so many
    /// waits nobody reads the lines.</summary>
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

/// <summary>The log of the command <c>router run</c>, as configured. A program's router logs into the program's.
/// </summary>
internal static class RouterLogging
{
    /// <summary>The category of a router; a name other than "router" follows it.</summary>
    public const string Category = "Router";

    /// <summary>Without a service collection, which for one console logger takes as long as reading the configuration.
    /// </summary>
    public static ProcessLog Create(Configuration.LogOptions options, LogThreshold threshold, TimeProvider time)
    {
        var provider = new ConsoleLoggerProvider(
            new FixedOptions(RouterConsole.Options(options.Format, options.Queue)),
            [new JsonLineFormatter(time), new TextLineFormatter(time)]);
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Trace };
        filter.Rules.Add(new LoggerFilterRule(null, null, null, (_, _, level) => threshold.Passes(level)));
        return new ProcessLog(new LoggerFactory([provider], filter), provider, time);
    }

    private sealed class FixedOptions(ConsoleLoggerOptions value) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => value;

        public ConsoleLoggerOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}

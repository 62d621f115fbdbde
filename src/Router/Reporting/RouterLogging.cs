using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting.Sinks;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>The least severe level that is logged, which a reload may change. Any thread.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile int _level = (int)level;

    public LogLevel Level => (LogLevel)_level;

    public void Set(LogLevel level) => _level = (int)level;

    public bool Passes(LogLevel level) => (int)level >= _level;
}

/// <summary>The log of the process. Disposing it waits until all lines are written, or the time for that is up.
/// </summary>
internal sealed class ProcessLog : IDisposable
{
    private readonly LoggerFactory _factory;
    private readonly SinkProvider _sinks;

    public ProcessLog(SinkProvider sinks, LogThreshold threshold)
    {
        _sinks = sinks;
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Trace };
        filter.Rules.Add(new LoggerFilterRule(null, null, null, (_, _, level) => threshold.Passes(level)));
        _factory = new LoggerFactory([sinks], filter);
    }

    /// <summary>Of each sink, since the start. Any thread.</summary>
    public IReadOnlyList<SinkFigures> Figures => _sinks.Figures;

    public ILogger CreateLogger(string category) => _factory.CreateLogger(category);

    /// <summary>Has files opened again by their names. Any thread.</summary>
    /// <returns>How many.</returns>
    public int ReopenFiles() => _sinks.ReopenFiles();

    public void Dispose()
    {
        _factory.Dispose();   // not of providers that it was made with
        _sinks.Dispose();
    }
}

/// <summary>The log of the command <c>router run</c>, as configured. A program's router logs into the program's.
/// </summary>
internal static class RouterLogging
{
    /// <summary>The category of a router; a name other than "router" follows it.</summary>
    public const string Category = "Router";

    private const string JournalStream = "JOURNAL_STREAM";

    /// <summary>Without a service collection, which for one provider takes as long as reading the configuration.
    /// </summary>
    /// <param name="options">As configured.</param>
    /// <param name="threshold">The least level.</param>
    /// <param name="time">The clock.</param>
    /// <param name="errors">Told at the end of lines that were not written.</param>
    /// <param name="feed">Gets every record, too; null for none.</param>
    /// <param name="fault">Why a sink cannot be opened.</param>
    /// <returns>Null exactly if there is a fault.</returns>
    public static ProcessLog? TryCreate(
        LogOptions options, LogThreshold threshold, TimeProvider time, TextWriter errors, EventFeed? feed,
        out string? fault)
    {
        var sinks = new SinkProvider(time, threshold.Passes, options.FlushTimeout, errors, feed);
        var kinds = options.Sinks.Select(static kind => kind == LogSinkKind.Auto ? Standard() : kind);
        foreach (var kind in kinds.Distinct())
        {
            try
            {
                if (kind == LogSinkKind.Otlp)
                {
                    OpenOtlp(sinks, options);
                }
                else
                {
                    sinks.Open(PlanOf(kind, options), options.Queue);
                }
            }
            catch (IOException e)
            {
                sinks.Dispose();
                fault = $"log.{Kebab.From(kind.ToString())}: {e.Message}";
                return null;
            }
        }

        fault = null;
        return new ProcessLog(sinks, threshold);
    }

    /// <summary>The journal, if standard output leads there: systemd.exec(5), JOURNAL_STREAM.</summary>
    /// <param name="stream">The variable: device and inode.</param>
    /// <param name="output">What /proc says that standard output is.</param>
    internal static bool IsJournal(string? stream, string? output) =>
        stream?.Split(':') is [_, { Length: > 0 } inode] && output == $"socket:[{inode}]";

    private static LogSinkKind Standard() =>
        OperatingSystem.IsLinux()
        && IsJournal(Environment.GetEnvironmentVariable(JournalStream), new FileInfo("/proc/self/fd/1").LinkTarget)
            ? LogSinkKind.Journal
            : LogSinkKind.Stdout;

    /// <summary>By itself, so that its libraries are loaded only where they are used.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OpenOtlp(SinkProvider sinks, LogOptions options) => sinks.Add((time, log, onDrop) =>
        new OtlpSink(options.Otlp, options.Queue, time, log, onDrop));

    private static SinkPlan PlanOf(LogSinkKind kind, LogOptions options)
    {
        var name = Kebab.From(kind.ToString());
        switch (kind)
        {
            case LogSinkKind.Journal:
                var journal = options.Journal;
                return new SinkPlan(
                    name, journal.Lines, new JournalFormat(journal.Identifier), SinkFraming.Messages,
                    () => new SocketOutput(journal.Address));
            case LogSinkKind.File:
                var file = options.File;
                return new SinkPlan(
                    name, file.Lines, LineFormats.Of(file.Format, isRedirected: true), SinkFraming.Lines,
                    () => new FileOutput(file));
            case LogSinkKind.Syslog:
                var syslog = options.Syslog;
                var format = new SyslogFormat(
                    (int)syslog.Facility, syslog.HostName ?? Environment.MachineName, syslog.AppName,
                    LineFormats.Of(syslog.Format, isRedirected: true));
                var address = syslog.Address!;
                var framing = address.Kind == SinkAddressKind.Tcp ? SinkFraming.Counted : SinkFraming.Messages;
                return new SinkPlan(name, syslog.Lines, format, framing, () => new SocketOutput(address));
            default:
                return new SinkPlan(
                    name, options.StdoutLines, LineFormats.Of(options.Format, Console.IsOutputRedirected),
                    SinkFraming.Lines, OpenStandardOutput);
        }
    }

    private static ISinkOutput OpenStandardOutput() => OperatingSystem.IsLinux()
        ? new DescriptorOutput(DescriptorOutput.StandardOutput)
        : new StreamOutput(Console.OpenStandardOutput());
}

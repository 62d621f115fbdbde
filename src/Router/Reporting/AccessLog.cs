using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Sessions;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>Which sessions get a record, and in which shape. A reload may change it. Any thread.</summary>
internal sealed class AccessLog
{
    private readonly ILogger _log;
    private volatile AccessOptions _options;
    private volatile ILogger _records;

    public AccessLog(ILogger log, AccessOptions options) =>
        (_log, _options, _records) = (log, options, RecordsOf(log, options.Shape));

    /// <summary>Takes the record of a session.</summary>
    public ILogger Records => _records;

    /// <summary>At which level the beginning of a session is told of.</summary>
    public LogLevel OpenedLevel => _options.Opened ? LogLevel.Information : LogLevel.Debug;

    public void Apply(AccessOptions options)
    {
        _options = options;
        _records = RecordsOf(_log, options.Shape);
    }

    public bool Wants(SessionContext session, CloseReason reason)
    {
        var options = _options;
        return (options.Reasons.Count == 0 || options.Reasons.Contains(reason))
            && !options.NotReasons.Contains(reason)
            && WantsRoute(options, session.RouteName)
            && (options.Sample == 1 || options.Always.Contains(reason) || IsSampled(session.Id, options.Sample));
    }

    /// <summary>Of a session that is open, whose reason is not known.</summary>
    public bool WantsOpen(SessionContext session)
    {
        var options = _options;
        return WantsRoute(options, session.RouteName)
            && (options.Sample == 1 || IsSampled(session.Id, options.Sample));
    }

    /// <summary>A logger that gives records of sessions the shape.</summary>
    internal static ILogger RecordsOf(ILogger log, AccessShape shape) =>
        shape.IsPlain ? log : new ShapingLogger(log, shape);

    /// <summary>The same for a session wherever it is asked: one of so many, by its id alone.</summary>
    internal static bool IsSampled(SessionId id, int sample)
    {
        // The id is counted in its low bits; this is splitmix64's last step, which spreads them.
        var mixed = id.High ^ id.Low;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return (mixed ^ (mixed >> 31)) % (ulong)sample == 0;
    }

    private static bool WantsRoute(AccessOptions options, string route) =>
        (options.Routes.Count == 0 || options.Routes.Contains(route)) && !options.NotRoutes.Contains(route);


    private sealed class ShapingLogger(ILogger inner, AccessShape shape) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => inner.Log(
                logLevel, eventId,
                new AccessRecord(shape, (IReadOnlyList<KeyValuePair<string, object?>>)state!),
                exception, static (record, _) => record.ToString());
    }
}

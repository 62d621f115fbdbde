namespace Router.Actors;

public enum LogLevel
{
    DebugLevel,
    InfoLevel,
    WarningLevel,
    ErrorLevel,
}

/// <summary>A log entry on its way over the event stream to whoever writes it.</summary>
public abstract class LogEvent
{
    protected LogEvent(Exception? cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public Exception? Cause { get; }

    /// <summary>The path of the actor that logged.</summary>
    public string LogSource { get; }

    public Type LogClass { get; }

    public object Message { get; }

    public abstract LogLevel LogLevel();

    public override string ToString() => $"[{LogLevel()}][{LogSource}] {Message}";
}

public sealed class Error : LogEvent
{
    public Error(Exception? cause, string logSource, Type logClass, object message)
        : base(cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Actors.LogLevel.ErrorLevel;
}

public sealed class Warning : LogEvent
{
    public Warning(string logSource, Type logClass, object message)
        : base(cause: null, logSource, logClass, message)
    {
    }

    public Warning(Exception? cause, string logSource, Type logClass, object message)
        : base(cause, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Actors.LogLevel.WarningLevel;
}

public sealed class Info : LogEvent
{
    public Info(string logSource, Type logClass, object message)
        : base(cause: null, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Actors.LogLevel.InfoLevel;
}

public sealed class Debug : LogEvent
{
    public Debug(string logSource, Type logClass, object message)
        : base(cause: null, logSource, logClass, message)
    {
    }

    public override LogLevel LogLevel() => Actors.LogLevel.DebugLevel;
}

/// <summary>Logs by publishing <see cref="LogEvent"/>s. Formats as <see cref="string.Format(string, object[])"/>;
/// below <c>akka.loglevel</c> nothing is formatted or published.</summary>
public interface ILoggingAdapter
{
    bool IsDebugEnabled { get; }

    bool IsInfoEnabled { get; }

    bool IsEnabled(LogLevel logLevel);

    void Debug(string format, params object?[] args);

    void Info(string format, params object?[] args);

    void Warning(string format, params object?[] args);

    void Warning(Exception cause, string format, params object?[] args);

    void Error(string format, params object?[] args);

    void Error(Exception? cause, string format, params object?[] args);
}

public static class Logging
{
    public static ILoggingAdapter GetLogger(this IActorContext context) =>
        new BusLogging(context.System, () => context.Self.Path.ToString(), context.Props.Type);

    internal static ILoggingAdapter GetLogger(ActorSystem system, string logSource) =>
        new BusLogging(system, () => logSource, typeof(ActorSystem));

    internal static LogLevel LevelFor(string? name) => name?.ToUpperInvariant() switch
    {
        "DEBUG" => LogLevel.DebugLevel,
        null or "INFO" => LogLevel.InfoLevel,
        "WARNING" => LogLevel.WarningLevel,
        "ERROR" => LogLevel.ErrorLevel,
        "OFF" => LogLevel.ErrorLevel + 1,
        _ => throw new ConfigurationException($"Unknown akka.loglevel [{name}]."),
    };
}

internal sealed class BusLogging(ActorSystem system, Func<string> logSource, Type logClass) : ILoggingAdapter
{
    public bool IsDebugEnabled => IsEnabled(LogLevel.DebugLevel);

    public bool IsInfoEnabled => IsEnabled(LogLevel.InfoLevel);

    public bool IsEnabled(LogLevel logLevel) => logLevel >= system.Settings.MinimumLogLevel;

    public void Debug(string format, params object?[] args) =>
        Log(LogLevel.DebugLevel, text => new Debug(logSource(), logClass, text), format, args);

    public void Info(string format, params object?[] args) =>
        Log(LogLevel.InfoLevel, text => new Info(logSource(), logClass, text), format, args);

    public void Warning(string format, params object?[] args) =>
        Log(LogLevel.WarningLevel, text => new Warning(logSource(), logClass, text), format, args);

    public void Warning(Exception cause, string format, params object?[] args) =>
        Log(LogLevel.WarningLevel, text => new Warning(cause, logSource(), logClass, text), format, args);

    public void Error(string format, params object?[] args) => Error(cause: null, format, args);

    public void Error(Exception? cause, string format, params object?[] args) =>
        Log(LogLevel.ErrorLevel, text => new Error(cause, logSource(), logClass, text), format, args);

    private void Log(LogLevel level, Func<string, LogEvent> make, string format, object?[] args)
    {
        if (IsEnabled(level))
        {
            system.EventStream.Publish(make(args.Length == 0 ? format : string.Format(format, args)));
        }
    }
}

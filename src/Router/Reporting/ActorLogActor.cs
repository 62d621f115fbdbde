using Akka.Hosting.Logging;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using AkkaLogLevel = Akka.Event.LogLevel;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>Writes Akka's log events, those of actors and of Akka itself, into the router's log.</summary>
/// <remarks>Its mailbox is an ordinary one: Akka's mailbox for loggers writes what is left to standard output when it
/// stops.</remarks>
internal sealed class ActorLogActor : UntypedActor
{
    private static readonly AkkaLogLevel[] Levels =
        [AkkaLogLevel.DebugLevel, AkkaLogLevel.InfoLevel, AkkaLogLevel.WarningLevel, AkkaLogLevel.ErrorLevel];

    private readonly ILogger _log;
    private readonly RemotingLog _remoting;
    private readonly EventGate<(Type?, Type)> _failures;

    public ActorLogActor(ILogger log, TimeProvider time) =>
        (_log, _remoting, _failures) = (log, new RemotingLog(log, time), new EventGate<(Type?, Type)>(time));

    /// <summary>Used by Akka, in a program's system, whose setup has the program's log.</summary>
    public ActorLogActor()
    {
        var setup = Context.System.Settings.Setup.Get<LoggerFactorySetup>();
        _log = setup.HasValue
            ? new HostLogger(setup.Value.LoggerFactory.CreateLogger(RouterLogging.Category))
            : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
        _remoting = new RemotingLog(_log, TimeProvider.System);
        _failures = new EventGate<(Type?, Type)>(TimeProvider.System);
    }

    /// <summary>Starts one that gets the system's log events, from its <c>loglevel</c> on.</summary>
    public static void Start(ActorSystem system, ILogger log, TimeProvider time)
    {
        var actor = system.ActorOf(Props.Create<ActorLogActor>(log, time), "log");
        var least = Logging.LogLevelFor(system.Settings.LogLevel);
        foreach (var level in Levels.Where(level => level >= least))
        {
            system.EventStream.Subscribe(actor, level.ClassFor());
        }
    }

    protected override void PostStop() => _remoting.Dispose();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case LogEvent said when _remoting.Takes(said):
                break;
            case LogEvent said:
                Tell(said);
                break;
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>Failures may come as fast as messages do: one a second of a kind is told, with how many were not.
    /// </summary>
    private void Tell(LogEvent said)
    {
        var suppressed = 0L;
        if (said.Cause is not { } cause || _failures.Passes((said.LogClass, cause.GetType()), out suppressed))
        {
            HostLog.ActorLog(
                _log, LevelOf(said.LogLevel()), said.Cause, said.LogSource, said.Message?.ToString() ?? "", suppressed);
        }
    }

    private static LogLevel LevelOf(AkkaLogLevel level) => level switch
    {
        AkkaLogLevel.DebugLevel => LogLevel.Debug,
        AkkaLogLevel.InfoLevel => LogLevel.Information,
        AkkaLogLevel.WarningLevel => LogLevel.Warning,
        _ => LogLevel.Error,
    };
}

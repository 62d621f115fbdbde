using Akka.Hosting.Logging;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using AkkaLogLevel = Akka.Event.LogLevel;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>
/// Writes what actors, and Akka about them, publish as log events into the router's log.
/// </summary>
/// <remarks>Its mailbox is an ordinary one: what is left in Akka's own kind for loggers goes to standard output when it
/// stops.</remarks>
internal sealed class ActorLogActor : UntypedActor
{
    private static readonly AkkaLogLevel[] Levels =
        [AkkaLogLevel.DebugLevel, AkkaLogLevel.InfoLevel, AkkaLogLevel.WarningLevel, AkkaLogLevel.ErrorLevel];

    private readonly ILogger _log;

    public ActorLogActor(ILogger log) => _log = log;

    /// <summary>Made by Akka as the logger of a program's system, which has the program's log in its setup.</summary>
    public ActorLogActor()
    {
        var setup = Context.System.Settings.Setup.Get<LoggerFactorySetup>();
        _log = setup.HasValue
            ? setup.Value.LoggerFactory.CreateLogger(RouterLogging.Category)
            : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
    }

    /// <summary>Subscribes one to a system's event stream, from the system's <c>loglevel</c> on.</summary>
    public static void Start(ActorSystem system, ILogger log)
    {
        var actor = system.ActorOf(Props.CreateBy(new Producer(log)), "log");
        var least = Logging.LogLevelFor(system.Settings.LogLevel);
        foreach (var level in Levels.Where(level => level >= least))
        {
            system.EventStream.Subscribe(actor, level.ClassFor());
        }
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case LogEvent said:
                HostLog.ActorLog(
                    _log, LevelOf(said.LogLevel()), said.Cause, said.LogSource, said.Message?.ToString() ?? "");
                break;
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private static LogLevel LevelOf(AkkaLogLevel level) => level switch
    {
        AkkaLogLevel.DebugLevel => LogLevel.Debug,
        AkkaLogLevel.InfoLevel => LogLevel.Information,
        AkkaLogLevel.WarningLevel => LogLevel.Warning,
        _ => LogLevel.Error,
    };

    private sealed class Producer(ILogger log) : IIndirectActorProducer
    {
        public Type ActorType => typeof(ActorLogActor);

        public ActorBase Produce() => new ActorLogActor(log);

        public void Release(ActorBase actor)
        {
        }
    }
}

using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Hosting;

/// <summary>
/// Writes what actors, and the kernel about them, publish as warnings and errors into the router's log.
/// </summary>
internal sealed class ActorLogActor : UntypedActor
{
    private readonly ILogger _log;

    public ActorLogActor(ILogger log) => _log = log;

    /// <summary>Subscribes one to the system's event stream.</summary>
    public static void Start(ActorSystem system, ILogger log)
    {
        var actor = system.ActorOf(Props.CreateBy(new Producer(log)), "log");
        system.EventStream.Subscribe(actor, typeof(Error));
        system.EventStream.Subscribe(actor, typeof(Warning));
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Error error:
                HostLog.ActorLog(_log, LogLevel.Error, error.Cause, error.LogSource, error.Message?.ToString() ?? "");
                break;
            case Warning warning:
                HostLog.ActorLog(_log, LogLevel.Warning, null, warning.LogSource, warning.Message?.ToString() ?? "");
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private sealed class Producer(ILogger log) : IIndirectActorProducer
    {
        public Type ActorType => typeof(ActorLogActor);

        public ActorBase Produce() => new ActorLogActor(log);

        public void Release(ActorBase actor)
        {
        }
    }
}

using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Cluster.Members;

/// <summary>Starts an actor anew, below /user by the same name, when it has stopped: since somebody has killed it, or
/// its supervisor has given it up.</summary>
/// <remarks>Not by Akka's BackoffSupervisor: that has the actor's place itself, and is what a kill would hit.</remarks>
internal sealed class ActorKeeper : ReceiveActor, IWithTimers
{
    /// <summary>Until the name is free.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Props _props;
    private readonly string _name;
    private readonly KeptActor _kept;
    private readonly ILogger _log;

    public ActorKeeper(Props props, string name, KeptActor kept, ILogger log)
    {
        (_props, _name, _kept, _log) = (props, name, kept, log);
        Receive<Terminated>(_ => StartAgain());
        Receive<Again>(_ => StartAgain());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Starts an actor, and keeps it.</summary>
    /// <returns>What stands for it, whichever it is.</returns>
    public static IActorRef Start(ActorSystem system, Props props, string name, ILogger log)
    {
        var kept = new KeptActor(system.ActorOf(props, name));
        system.ActorOf(Props.Create<ActorKeeper>(props, name, kept, log), name + "-keeper");
        return kept;
    }

    protected override void PreStart() => Context.Watch(_kept.Now);

    private void StartAgain()
    {
        if (CoordinatedShutdown.Get(Context.System).ShutdownReason is not null)
        {
            return;   // all stops
        }

        try
        {
            _kept.Now = Context.System.ActorOf(_props, _name);
        }
        catch (InvalidActorNameException)
        {
            Timers.StartSingleTimer(nameof(Again), Again.Instance, Pause);
            return;
        }

        Context.Watch(_kept.Now);
        ClusterLog.ActorRestarted(_log, _name);
    }

    private sealed class Again
    {
        public static readonly Again Instance = new();
    }
}

/// <summary>Stands for an actor that is started anew when it stops. Any thread.</summary>
internal sealed class KeptActor(IActorRef first) : MinimalActorRef
{
    private volatile IActorRef _now = first;

    public IActorRef Now
    {
        get => _now;
        set => _now = value;
    }

    public override ActorPath Path => _now.Path;

    public override IActorRefProvider Provider => ((IInternalActorRef)_now).Provider;

    protected override void TellInternal(object message, IActorRef sender) => _now.Tell(message, sender);
}

namespace Router.Tests.Actors;

/// <summary>Tells a probe what happens to it: its constructor, hooks and messages, by name.</summary>
internal sealed class Reporter : UntypedActor
{
    private readonly IActorRef _probe;

    public Reporter(IActorRef probe)
    {
        _probe = probe;
        _probe.Tell("constructed");
    }

    /// <summary>Makes the receiver throw.</summary>
    internal sealed record Crash(Exception Cause)
    {
        public Crash()
            : this(new InvalidOperationException("crash"))
        {
        }
    }

    protected override void PreStart() => _probe.Tell("pre-start");

    protected override void PostStop() => _probe.Tell("post-stop");

    protected override void PreRestart(Exception reason, object? message)
    {
        _probe.Tell($"pre-restart {reason.Message} on {message?.GetType().Name}");
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason)
    {
        _probe.Tell("post-restart " + reason.Message);
        base.PostRestart(reason);
    }

    protected override void OnReceive(object message)
    {
        if (message is Crash crash)
        {
            throw crash.Cause;
        }

        _probe.Tell(message);
    }
}

/// <summary>Starts children under a strategy of the test's choice; answers with their references.</summary>
internal sealed class Parent : UntypedActor
{
    private readonly SupervisorStrategy _strategy;

    public Parent(SupervisorStrategy strategy) => _strategy = strategy;

    internal sealed record Start(Props Props, string? Name = null);

    internal sealed record StopChild(IActorRef Child);

    protected override SupervisorStrategy SupervisorStrategy() => _strategy;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Start start:
                Sender.Tell(Context.ActorOf(start.Props, start.Name));
                break;
            case StopChild stop:
                Context.Stop(stop.Child);
                break;
            case Reporter.Crash crash:
                throw crash.Cause;
            default:
                Unhandled(message);
                break;
        }
    }
}

/// <summary>Sends every message back to its sender.</summary>
internal sealed class Echo : UntypedActor
{
    protected override void OnReceive(object message) => Sender.Tell(message);
}

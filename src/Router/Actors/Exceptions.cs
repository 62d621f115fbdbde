namespace Router.Actors;

/// <summary>Base of what the kernel itself throws.</summary>
public abstract class AkkaException : Exception
{
    protected AkkaException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>An actor's constructor or <c>PreStart</c> failed, or an actor was created outside of a system.</summary>
public class ActorInitializationException : AkkaException
{
    public ActorInitializationException(string message)
        : base(message)
    {
    }

    public ActorInitializationException(IActorRef? actor, string message, Exception? cause = null)
        : base(actor is null ? message : $"{actor}: {message}", cause) => Actor = actor;

    public IActorRef? Actor { get; }
}

/// <summary>The failing instance's <c>PreRestart</c> failed too; logged, the restart goes on.</summary>
public class PreRestartException : ActorInitializationException
{
    public PreRestartException(IActorRef? actor, Exception cause, Exception originalCause, object? message)
        : base(actor, "exception in PreRestart(" + originalCause.GetType() + ", " + message?.GetType() + ")", cause) =>
        OriginalCause = originalCause;

    public Exception OriginalCause { get; }
}

/// <summary>The fresh instance's constructor or <c>PostRestart</c> failed: the supervisor decides again.</summary>
public class PostRestartException : ActorInitializationException
{
    public PostRestartException(IActorRef? actor, Exception cause, Exception originalCause)
        : base(actor, "exception post restart (" + originalCause.GetType() + ")", cause) =>
        OriginalCause = originalCause;

    public Exception OriginalCause { get; }
}

/// <summary>What a <see cref="Kill"/> makes its receiver throw.</summary>
public sealed class ActorKilledException : AkkaException
{
    public ActorKilledException(string message)
        : base(message)
    {
    }
}

/// <summary>An actor did not handle a <see cref="Terminated"/> it had asked for.</summary>
public sealed class DeathPactException : AkkaException
{
    public DeathPactException(IActorRef deadActor)
        : base($"Monitored actor [{deadActor}] terminated") => DeadActor = deadActor;

    public IActorRef DeadActor { get; }
}

public sealed class InvalidActorNameException : AkkaException
{
    public InvalidActorNameException(string message)
        : base(message)
    {
    }
}

/// <summary>Null was told to an actor.</summary>
public sealed class InvalidMessageException : AkkaException
{
    public InvalidMessageException(string message)
        : base(message)
    {
    }
}

/// <summary>No answer came to an Ask in time.</summary>
public sealed class AskTimeoutException : AkkaException
{
    public AskTimeoutException(string message)
        : base(message)
    {
    }
}

/// <summary>The configuration names something the kernel cannot find or make.</summary>
public sealed class ConfigurationException : AkkaException
{
    public ConfigurationException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

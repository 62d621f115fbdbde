namespace Router.Actors;

/// <summary>Messages the kernel handles itself when their turn in the mailbox comes.</summary>
public interface IAutoReceivedMessage;

/// <summary>Does not count as activity for <see cref="IActorContext.SetReceiveTimeout"/>.</summary>
public interface INotInfluenceReceiveTimeout;

/// <summary>Not worth a <see cref="DeadLetter"/> when its receiver is gone.</summary>
public interface IDeadLetterSuppression;

/// <summary>Stops its receiver once everything told before has been handled.</summary>
public sealed class PoisonPill : IAutoReceivedMessage, IDeadLetterSuppression
{
    private PoisonPill()
    {
    }

    public static PoisonPill Instance { get; } = new();

    public override string ToString() => "<PoisonPill>";
}

/// <summary>Makes its receiver fail with <see cref="ActorKilledException"/>; the supervisor decides.</summary>
public sealed class Kill : IAutoReceivedMessage
{
    private Kill()
    {
    }

    public static Kill Instance { get; } = new();

    public override string ToString() => "<Kill>";
}

/// <summary>Told to an actor that heard nothing for the time it set.</summary>
public sealed class ReceiveTimeout
{
    private ReceiveTimeout()
    {
    }

    public static ReceiveTimeout Instance { get; } = new();

    public override string ToString() => "<ReceiveTimeout>";
}

/// <summary>A watched actor has stopped. Comes exactly once per watch.</summary>
public sealed class Terminated : IAutoReceivedMessage, IDeadLetterSuppression, INotInfluenceReceiveTimeout
{
    public Terminated(IActorRef actorRef, bool existenceConfirmed, bool addressTerminated)
    {
        ActorRef = actorRef;
        ExistenceConfirmed = existenceConfirmed;
        AddressTerminated = addressTerminated;
    }

    public IActorRef ActorRef { get; }

    /// <summary>False when nothing is known of such an actor ever having run.</summary>
    public bool ExistenceConfirmed { get; }

    /// <summary>Always false: there is no remoting.</summary>
    public bool AddressTerminated { get; }

    public override string ToString() => $"<Terminated>: {ActorRef} - ExistenceConfirmed={ExistenceConfirmed}";
}

/// <summary>Asks any actor for its reference; answered with <see cref="ActorIdentity"/> by the kernel.</summary>
public sealed class Identify : IAutoReceivedMessage
{
    public Identify(object messageId) => MessageId = messageId;

    public object MessageId { get; }
}

/// <summary>The answer to <see cref="Identify"/>; <see cref="Subject"/> is null when the actor is gone.</summary>
public sealed class ActorIdentity
{
    public ActorIdentity(object messageId, IActorRef? subject)
    {
        MessageId = messageId;
        Subject = subject;
    }

    public object MessageId { get; }

    public IActorRef? Subject { get; }
}

public abstract class Status
{
    /// <summary>The asked-for thing was done; <see cref="Status"/> is the result, if any.</summary>
    public sealed class Success : Status
    {
        public Success(object? status) => Status = status;

        public object? Status { get; }
    }

    /// <summary>It was not; an Ask answered with this throws <see cref="Cause"/>.</summary>
    public sealed class Failure : Status
    {
        public Failure(Exception cause) => Cause = cause;

        public Exception Cause { get; }

        public override string ToString() => "Failure: " + Cause;
    }
}

/// <summary>Published on the event stream for a message nobody received.</summary>
public sealed class DeadLetter
{
    public DeadLetter(object message, IActorRef sender, IActorRef recipient)
    {
        Message = message;
        Sender = sender;
        Recipient = recipient;
    }

    public object Message { get; }

    public IActorRef Sender { get; }

    public IActorRef Recipient { get; }

    public override string ToString() => $"DeadLetter from {Sender} to {Recipient}: <{Message}>";
}

/// <summary>Published on the event stream for a message its receiver did not handle.</summary>
public sealed class UnhandledMessage
{
    public UnhandledMessage(object message, IActorRef sender, IActorRef recipient)
    {
        Message = message;
        Sender = sender;
        Recipient = recipient;
    }

    public object Message { get; }

    public IActorRef Sender { get; }

    public IActorRef Recipient { get; }

    public override string ToString() => $"Unhandled message from {Sender} to {Recipient}: <{Message}>";
}

/// <summary>A message and who sent it.</summary>
public readonly struct Envelope
{
    public Envelope(object message, IActorRef sender)
    {
        Message = message;
        Sender = sender;
    }

    public object Message { get; }

    public IActorRef Sender { get; }
}

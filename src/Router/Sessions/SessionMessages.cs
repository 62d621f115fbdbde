using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>The session's deadline has come.</summary>
internal sealed class SessionTick
{
    public static readonly SessionTick Instance = new();
}

/// <summary>Asks a session to end now if nothing is under way; told again until it does or time is up.</summary>
internal sealed class DrainSession
{
    public static readonly DrainSession Instance = new();
}

/// <summary>Has a session look at its deadlines again: they may be nearer.</summary>
internal sealed class RearmSession
{
    public static readonly RearmSession Instance = new();
}

/// <summary>Has the sessions of a route look at what it goes by now.</summary>
internal sealed record RouteChanged(Route Route);

/// <summary>Has a session whose fresh handler could not be opened fail, if no payload does.</summary>
internal sealed class OpenFailed
{
    public static readonly OpenFailed Instance = new();
}

/// <summary>Stands in for a fresh handler that could not be opened: whatever it is called for fails.</summary>
internal sealed class UnopenedHandler(Exception failure) : SessionHandler
{
    public override bool IsRestartSafe => true;   // else there would have been no restart

    public void Fail() =>
        throw new InvalidOperationException($"the fresh handler could not be opened: {failure.Message}", failure);

    public override void OnReceived(SessionContext session, PayloadBatch batch) => Fail();

    public override void OnPeerFinished(SessionContext session) => Fail();

    public override void OnMessage(SessionContext session, object message) => Fail();

    public override void OnTimer(SessionContext session) => Fail();

    public override void OnClosed(SessionContext session, CloseReason reason) =>
        session.Route.OnAbandoned(session, reason);
}

/// <summary>Stands in when there will be no other handler: takes what still waits for a session that ends.</summary>
internal sealed class EndedHandler : SessionHandler
{
    public static readonly EndedHandler Instance = new();
}

/// <summary>A handler failed: carries what its listener's supervision decides by.</summary>
internal sealed class HandlerFailedException(Exception reason, bool mayRestart)
    : Exception($"the session's handler failed: {reason.Message}", reason)
{
    public bool MayRestart { get; } = mayRestart;
}

/// <summary>Ends a session's actor, or makes it a spare one.</summary>
internal sealed class StopSession
{
    public static readonly StopSession Instance = new();
}

/// <summary>Carries a failure from a turn that its listener ran to one that the session's mailbox runs.</summary>
internal sealed class TurnFailed(Exception failure)
{
    public Exception Failure => failure;
}

/// <summary>Told to a session on the pool: its peer has ended the stream.</summary>
internal sealed class StreamFinished
{
    public static readonly StreamFinished Instance = new();
}

/// <summary>Told to a session on the pool: what its stream had unsent has left.</summary>
internal sealed class StreamDrained
{
    public static readonly StreamDrained Instance = new();
}

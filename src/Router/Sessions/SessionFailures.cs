namespace Router.Sessions;

/// <summary>A session whose handler has failed, and goes on with a fresh one or ends by that.</summary>
internal static class SessionFailures
{
    /// <summary>The handler has failed: unless a fresh one takes over, that is what the session ends by.</summary>
    public static void OnFailed(this SessionContext session, Exception failure)
    {
        var extras = session.Extras;
        extras.Failure = failure;
        extras.Traced?.Tell(TraceStep.Failed, $"{failure.GetType().Name}: {failure.Message}");
    }

    /// <summary>A fresh handler takes over.</summary>
    public static void OnRestarted(this SessionContext session, Exception reason)
    {
        session.Extras.Restarts++;
        session.Traced?.Tell(TraceStep.Restarted);
        session.OnLoop(static (session, reason) => session.Shard.OnRestarted(session, reason), reason);
    }

    /// <summary>The fresh handler is in place.</summary>
    public static void OnRecovered(this SessionContext session) => session.Extras.Failure = null;
}

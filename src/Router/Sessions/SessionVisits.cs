namespace Router.Sessions;

/// <summary>What a listener tells its sessions, one by one in a <see cref="SessionWalk"/>. Loop thread.</summary>
/// <remarks>Each says whether the session was told something, which then has a turn of its own for it.</remarks>
internal static class SessionVisits
{
    /// <summary>The listener drains: the session ends if nothing is under way.</summary>
    public static bool Drain(SessionContext session)
    {
        // On the pool the handler is another thread's; it is the program's, and such a one is never done by itself.
        var mayEnd = session.Shard is { IsDraining: true, Settings.OnPool: false }
            && session.Handler is { } handler && handler.MayEndNow(session);
        if (mayEnd)
        {
            session.Ref.Tell(DrainSession.Instance, ActorRefs.NoSender);
        }

        return mayEnd;
    }

    /// <summary>A deadline may be nearer than it was.</summary>
    public static bool Rearm(SessionContext session)
    {
        session.Arm();
        return false;
    }

    /// <summary>The session looks at its route, if it goes by the one that has changed.</summary>
    public static bool ChangeRoute(SessionContext session, RouteChanged changed)
    {
        var isInvolved = session.Route.Involves(changed.Route);
        if (isInvolved)
        {
            session.Ref.Tell(changed, ActorRefs.NoSender);
        }

        return isInvolved;
    }
}

using System.Collections.Concurrent;

namespace Router.Sessions;

/// <summary>What a listener tells its sessions, one by one in a <see cref="SessionWalk"/>. Loop thread.</summary>
/// <remarks>Each says whether the session was told something, which then has a turn of its own for it.</remarks>
internal static class SessionVisits
{
    /// <summary>Handlers that say themselves whether they are done, in a turn of their session.</summary>
    private static readonly ConcurrentDictionary<Type, bool> DecideInTurn = new();

    /// <summary>The listener drains: asks the session in a turn of its own if it is done, or only its handler knows.
    /// </summary>
    public static bool Drain(SessionContext session)
    {
        if (session is not { IsClosed: false, Shard.IsDraining: true, Handler: { } handler }
            || !(DecidesInTurn(handler) || handler.MayEndNow(session))
            || session.Pool is { } pool && !pool.TryAskToEnd())
        {
            return false;
        }

        session.Ref.Tell(DrainSession.Instance, ActorRefs.NoSender);
        return true;
    }

    /// <summary>A deadline may be nearer than it was.</summary>
    public static bool Rearm(SessionContext session)
    {
        session.Arm();
        return false;
    }

    /// <summary>The session is told of if it is so old.</summary>
    public static bool TellLong(SessionContext session, long ageMs)
    {
        var isLong = !session.IsClosed && session.AgeMs >= ageMs;
        if (isLong)
        {
            session.Shard.Events.StillOpen(session);
        }

        return isLong;
    }

    private static bool DecidesInTurn(SessionHandler handler) => DecideInTurn.GetOrAdd(
        handler.GetType(),
        static (_, handler) => ((Func<SessionContext, bool>)handler.OnDraining).Method.DeclaringType
            != typeof(SessionHandler),
        handler);

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

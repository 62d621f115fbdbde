using Router.Net;

namespace Router.Sessions;

/// <summary>Sessions of one loop made ahead, each with its actor: opening one only fills it in.</summary>
/// <remarks>
/// <para>Nine tenths of what a session is made of is here. Made when it opens, it is young when the next collection
/// comes, which copies it and stops all loops meanwhile; these have been through that.</para>
/// <para>What is open and what is prepared are as many as wanted, together: one that is used is made up for when one
/// has ended, slowly, and by new objects, since handlers and references may hold the old ones. Beyond, sessions are
/// made when they open, as all are by default.</para>
/// <para>Loop thread only, but for what says otherwise.</para>
/// </remarks>
/// <param name="loop">Whose sessions.</param>
/// <param name="wanted">How many, at most.</param>
internal sealed class PreparedSessions(IoLoop loop, int wanted) : LoopTimer
{
    /// <summary>Made at once, and how long until the next: 8,000 a second, of 3 MB. Young collections for those take
    /// half a hundredth of the time.</summary>
    internal const int RefillSessions = 64, RefillMs = TimerWheel.SlotMs;

    private readonly Stack<SessionContext> _prepared = new(wanted);
    private int _open;

    /// <summary>As many as are prepared. Any thread.</summary>
    public int Count => _prepared.Count;

    private int Missing => wanted - _open - _prepared.Count;

    /// <summary>Makes all of them. Before the loop starts.</summary>
    public void Fill() => Make(Missing);

    /// <summary>One that is prepared if there is one, else a new one.</summary>
    public SessionContext Take() => _prepared.TryPop(out var session) ? session : new SessionContext();

    /// <summary>Makes a session's actor as a child of its listener's, or has the one that is prepared be it.</summary>
    public static IActorRef ActorOf(IActorContext listener, Props props, SessionContext session)
    {
#if !ACTOR_ENGINE_AKKA
        if (session.Self is ActorCell prepared)
        {
            return ((ActorCell)listener).ActorOf(props, prepared);
        }
#endif
        return listener.ActorOf(props);
    }

    public void OnOpened() => _open++;

    public void OnEnded()
    {
        _open--;
        if (Missing > 0 && !IsArmed)
        {
            loop.Schedule(this, loop.NowMs + RefillMs);
        }
    }

    protected internal override void OnTimer()
    {
        Make(Math.Min(Missing, RefillSessions));
        if (Missing > 0)
        {
            loop.Schedule(this, loop.NowMs + RefillMs);
        }
    }

    private void Make(int sessions)
    {
        for (var i = 0; i < sessions; i++)
        {
            var session = new SessionContext();
#if !ACTOR_ENGINE_AKKA
            session.Self = ActorCell.Prepare(static () => new SessionActor());
#endif
            _prepared.Push(session);
        }
    }
}

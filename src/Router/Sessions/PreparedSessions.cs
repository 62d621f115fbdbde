using Router.Net;

namespace Router.Sessions;

/// <summary>Prepared sessions of one loop: made before their peers come, each with its actor, so that opening one only
/// fills it in.</summary>
/// <remarks>
/// <para>Nine tenths of what a session over UDP is made of, without a route's or handler's state, are here. Made when
/// it opens, that is young when the next collection comes, which copies it and stops all loops meanwhile; what lies
/// here has most often been through that.</para>
/// <para>What is open and what is prepared are as many as wanted, together: one that is used is made up for when one
/// has ended, slowly, and by a new one, since handlers and references may hold the old. Beyond, sessions are made when
/// they open, as all are by default.</para>
/// <para>Loop thread only, but for what says otherwise.</para>
/// </remarks>
/// <param name="loop">Whose sessions.</param>
/// <param name="wanted">How many, at most.</param>
internal sealed class PreparedSessions(IoLoop loop, int wanted) : LoopTimer
{
    /// <summary>A refill, and how long until the next at least: up to 8,000 sessions of 3 MB a second, for which young
    /// collections take 0.5 % of the time.</summary>
    internal const int RefillSessions = 64, RefillMs = TimerWheel.SlotMs;

    private readonly Stack<SessionContext> _prepared = new(wanted);
    private int _open;
    private volatile bool _stopped;

    /// <summary>As many as are prepared. Any thread.</summary>
    public int Count => _prepared.Count;

    private int Missing => _stopped ? 0 : wanted - _open - _prepared.Count;

    /// <summary>Prepares all of them. Before the loop starts.</summary>
    public void Fill() => Prepare(Missing);

    /// <summary>No more refills: what ends from now on does so for good. Any thread.</summary>
    public void Stop() => _stopped = true;

    /// <summary>One that is prepared if there is one, else a new one.</summary>
    public SessionContext Take() => _prepared.TryPop(out var session) ? session : new SessionContext();

    public void OnOpened() => _open++;

    public void OnEnded()
    {
        _open--;
        Arm();
    }

    protected internal override void OnTimer()
    {
        Prepare(Math.Min(Missing, RefillSessions));
        Arm();
    }

    private void Arm()
    {
        if (Missing > 0 && !IsArmed)
        {
            loop.Schedule(this, loop.NowMs + RefillMs);
        }
    }

    private void Prepare(int sessions)
    {
        for (var i = 0; i < sessions; i++)
        {
            var session = new SessionContext();
            _prepared.Push(session);
        }
    }
}

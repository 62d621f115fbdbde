using Router.Loop;

namespace Router.Sessions;

/// <summary>Visits the open sessions of a shard, a part of them in each step, so that no traffic waits for all of
/// them.</summary>
/// <remarks>Loop thread only. The last session comes first: one that closes meanwhile gives its place to one that was
/// visited before, so none is left out, and few are visited twice. Sessions that open meanwhile are not visited.
/// </remarks>
/// <param name="shard">Whose sessions.</param>
/// <param name="visit">Is given each of them; says whether it has told the session something.</param>
internal sealed class SessionWalk(Shard shard, Func<SessionContext, bool> visit) : LoopTimer
{
    /// <summary>The most of one step: a visit takes about 0.1 us, a message 1 us or more. The next step is some
    /// milliseconds later.</summary>
    internal const int VisitsPerStep = 4096, MessagesPerStep = 256, StepMs = TimerWheel.SlotMs;

    private int _left;

    /// <summary>Sessions are left to visit.</summary>
    public bool IsUnderWay => _left > 0;

    /// <summary>Begins with the first step at once, and from the beginning if it is under way.</summary>
    public void Begin()
    {
        _left = shard.OpenSessions.Count;
        OnTimer();
    }

    public void Stop()
    {
        _left = 0;
        shard.Loop.Cancel(this);
    }

    internal override void OnTimer()
    {
        var sessions = shard.OpenSessions;
        var (visits, messages) = (0, 0);
        for (_left = Math.Min(_left, sessions.Count); IsUnderWay; _left = Math.Min(_left - 1, sessions.Count))
        {
            if (visits == VisitsPerStep || messages == MessagesPerStep)
            {
                shard.Loop.Schedule(this, shard.Loop.NowMs + StepMs);
                return;
            }

            visits++;
            messages += visit(sessions[_left - 1]) ? 1 : 0;
        }
    }
}

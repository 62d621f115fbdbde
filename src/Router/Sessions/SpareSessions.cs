using Router.Loop;

namespace Router.Sessions;

/// <summary>The spare sessions of one loop: actors of sessions that have ended, kept for the next peers, and as many
/// more, made ahead, as are to be there when many peers come at once.</summary>
/// <remarks>
/// <para>To make an actor takes Akka 16 us and 3.7 KB of garbage, to stop one as long again. A session that takes a
/// spare actor costs neither.</para>
/// <para>Kept is what nobody can hold a reference to, see <see cref="SessionActor"/>: a reference to an ended session
/// never reaches another peer. An actor is its listener's child for good, so each shard has spares of its own; the
/// limits are the loop's.</para>
/// <para>Loop thread only, but for what says otherwise.</para>
/// </remarks>
/// <param name="loop">Whose sessions.</param>
/// <param name="limit">How many that have ended are kept, over all shards.</param>
/// <param name="prepared">How many there are to be, open ones and spare ones together, over all shards.</param>
internal sealed class SpareSessions(IoLoop loop, int limit, int prepared) : LoopTimer
{
    /// <summary>Sessions made ahead in one step, and how long until the next step at least: 256 take about 3 ms. Once
    /// all were there, a fourth of that: it is for what was used, beside live traffic.</summary>
    internal const int FillSessions = 256, RefillSessions = 64, StepMs = TimerWheel.SlotMs;

    private readonly List<Shard> _shards = [];
    private readonly int _limit = Math.Max(limit, prepared);
    private int _open;
    private int _making;
    private int _next;
    private int _count;
    private volatile bool _stopped;

    /// <summary>Spare now. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Sessions that are open. Any thread.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Told once, when all that are to be there are.</summary>
    public Action? OnFilled { get; set; }

    private int Missing => _stopped || _shards.Count == 0 ? 0 : prepared - _open - _count - _making;

    private bool IsFilled { get; set; }

    /// <summary>None is kept or made from now on. Any thread.</summary>
    public void Stop() => _stopped = true;

    /// <summary>A shard's actor can make sessions.</summary>
    public void Add(Shard shard)
    {
        _shards.Add(shard);
        shard.KeepsSpares = true;
        OnTimer();
    }

    /// <summary>A shard's actor is no more, or is another: its spares are given up.</summary>
    public void Remove(Shard shard)
    {
        _shards.Remove(shard);
        shard.KeepsSpares = false;
        _count -= shard.Spares.Count;
        _making -= shard.SparesMaking;
        shard.SparesMaking = 0;
        shard.Spares.Clear();
    }

    /// <summary>Whether one more of a shard may be kept.</summary>
    public bool HasRoom(Shard shard) => shard.KeepsSpares && !_stopped && _count < _limit;

    /// <summary>Keeps one of a shard.</summary>
    public void Keep(Shard shard, SessionContext session)
    {
        shard.Spares.Push(session);
        _count++;
    }

    /// <summary>The actor of one that was made ahead has come to be.</summary>
    public void OnMade(Shard shard, SessionContext session)
    {
        if (shard.SparesMaking == 0)
        {
            session.Actor!.StopSelf();   // for an actor of the listener that is no more
            return;
        }

        shard.SparesMaking--;
        _making--;
        Keep(shard, session);
    }

    /// <summary>Takes one of a shard's out.</summary>
    public SessionContext? TryTake(Shard shard)
    {
        while (shard.Spares.TryPop(out var session))
        {
            _count--;
            if (session.Actor!.IsSpare)
            {
                return session;
            }

            session.Actor.StopSelf();   // somebody has found it by its path meanwhile
        }

        return null;
    }

    public void OnOpened() => _open++;

    public void OnEnded()
    {
        _open--;
        Arm();
    }

    internal override void OnTimer()
    {
        for (var left = Math.Min(Missing, IsFilled ? RefillSessions : FillSessions); left > 0; left--)
        {
            _next = (_next + 1) % _shards.Count;
            var shard = _shards[_next];
            shard.SparesMaking++;
            _making++;
            shard.MakeSpare!();
        }

        if (prepared > 0 && !IsFilled && Missing <= 0 && _shards.Count > 0)
        {
            IsFilled = true;
            OnFilled?.Invoke();
        }

        Arm();
    }

    private void Arm()
    {
        if (Missing > 0 && !IsArmed)
        {
            loop.Schedule(this, loop.NowMs + StepMs);
        }
    }
}

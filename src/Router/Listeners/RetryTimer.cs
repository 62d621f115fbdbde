using Router.Loop;

namespace Router.Listeners;

/// <summary>Tells a listener to try again: after 100 ms, then after twice as long each time, a second at
/// most.</summary>
internal sealed class RetryTimer(IoLoop loop) : LoopTimer
{
    private const int FirstDelayMs = 100;
    private const int DelayMsMax = 1_000;

    private IActorRef _actor = ActorRefs.Nobody;
    private int _delayMs = FirstDelayMs;

    /// <returns>Milliseconds until the next try.</returns>
    public long Start(IActorRef actor)
    {
        _actor = actor;
        var delayMs = _delayMs;
        loop.Schedule(this, loop.NowMs + delayMs);
        _delayMs = Math.Min(delayMs * 2, DelayMsMax);
        return delayMs;
    }

    /// <summary>The next failure starts from the shortest delay.</summary>
    public void Reset()
    {
        loop.Cancel(this);
        _delayMs = FirstDelayMs;
    }

    internal override void OnTimer() => _actor.Tell(new RetryListener(), ActorRefs.NoSender);
}

using Router.Net;

namespace Router.Listeners;

/// <summary>Tells a listener to try again: at once 100 ms later, then twice as long each time, to a second at most.</summary>
internal sealed class RetryTimer(IoLoop loop) : LoopTimer
{
    private const int FirstDelayMs = 100;
    private const int DelayMsMax = 1_000;

    private IActorRef _actor = ActorRefs.Nobody;
    private int _delayMs = FirstDelayMs;

    public void Start(IActorRef actor)
    {
        _actor = actor;
        loop.Schedule(this, loop.NowMs + _delayMs);
        _delayMs = Math.Min(_delayMs * 2, DelayMsMax);
    }

    /// <summary>It worked: the next failure starts from the shortest delay.</summary>
    public void Reset()
    {
        loop.Cancel(this);
        _delayMs = FirstDelayMs;
    }

    protected internal override void OnTimer() => _actor.Tell(RetryListener.Instance, ActorRefs.NoSender);
}

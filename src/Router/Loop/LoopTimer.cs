namespace Router.Loop;

/// <summary>A deadline in a loop's timer wheel. What has a deadline derives from this, so that waiting costs no
/// object.</summary>
/// <remarks>Used on the loop's thread only. Scheduling an armed timer moves it.</remarks>
public abstract class LoopTimer
{
    internal LoopTimer? TimerNext;
    internal LoopTimer? TimerPrevious;

    /// <summary>Loop time in milliseconds at which it is due; -1 while not armed.</summary>
    internal long TimerDueMs = -1;

    private protected LoopTimer()
    {
    }

    internal bool IsArmed => TimerDueMs >= 0;

    /// <summary>Called once on the loop when due, unarmed. Must not throw; may schedule itself again.</summary>
    internal abstract void OnTimer();
}

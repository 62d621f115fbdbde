using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>When a session began and was last active, and what deadlines follow. Milliseconds of its loop's clock.
/// </summary>
internal struct SessionTimes
{
    private const int AsConfigured = -1;

    private readonly long _openedMs;
    private long _lastActiveMs;
    private int _ownIdleTimeoutMs;   // the handler's wish, if it had one
    private uint _lastReceivedMs;    // the low bits: as far behind the last activity as those of both differ

    /// <param name="nowMs">The session begins now.</param>
    public SessionTimes(long nowMs) =>
        (_openedMs, _lastActiveMs, _ownIdleTimeoutMs, _lastReceivedMs) = (nowMs, nowMs, AsConfigured, (uint)nowMs);

    public readonly long LastActiveMs => _lastActiveMs;

    private readonly long LastReceivedMs => _lastActiveMs - ((uint)_lastActiveMs - _lastReceivedMs);

    public readonly long AgeMs(long nowMs) => nowMs - _openedMs;

    /// <summary>Something came or went at that time: the idle deadline moves.</summary>
    public void Touch(long nowMs) => _lastActiveMs = nowMs;

    /// <summary>Something came from the peer at that time: the deadline of its own silence moves as well.</summary>
    public void TouchReceived(long nowMs) => (_lastActiveMs, _lastReceivedMs) = (nowMs, (uint)nowMs);

    /// <summary>The idle timeout in force; 0 for never.</summary>
    public readonly int IdleTimeoutMs(SessionSettings settings) =>
        _ownIdleTimeoutMs == AsConfigured ? settings.IdleTimeoutMs : _ownIdleTimeoutMs;

    /// <summary>The session's own idle timeout, instead of the listener's; 0 for never.</summary>
    public void SetIdleTimeout(int timeoutMs) => _ownIdleTimeoutMs = timeoutMs;

    /// <summary>The earliest deadline; <see cref="long.MaxValue"/> without any.</summary>
    /// <param name="settings">Those in force.</param>
    /// <param name="timerMs">When the handler's own timer is due; negative while it is not set.</param>
    public readonly long NextDeadlineMs(SessionSettings settings, long timerMs)
    {
        var idleTimeoutMs = IdleTimeoutMs(settings);
        var due = idleTimeoutMs > 0 ? _lastActiveMs + idleTimeoutMs : long.MaxValue;
        if (settings.PeerIdleTimeoutMs > 0)
        {
            due = Math.Min(due, LastReceivedMs + settings.PeerIdleTimeoutMs);
        }

        if (settings.MaxLifetimeMs > 0)
        {
            due = Math.Min(due, _openedMs + settings.MaxLifetimeMs);
        }

        return timerMs >= 0 ? Math.Min(due, timerMs) : due;
    }

    /// <summary>What ends the session at that time; <see cref="CloseReason.None"/> if nothing does.</summary>
    public readonly CloseReason EndAt(long nowMs, SessionSettings settings)
    {
        if (settings.MaxLifetimeMs > 0 && AgeMs(nowMs) >= settings.MaxLifetimeMs)
        {
            return CloseReason.Lifetime;
        }

        var idleTimeoutMs = IdleTimeoutMs(settings);
        if (idleTimeoutMs > 0 && nowMs - _lastActiveMs >= idleTimeoutMs)
        {
            return CloseReason.Idle;
        }

        return settings.PeerIdleTimeoutMs > 0 && nowMs - LastReceivedMs >= settings.PeerIdleTimeoutMs
            ? CloseReason.PeerIdle
            : CloseReason.None;
    }
}

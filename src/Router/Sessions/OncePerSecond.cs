namespace Router.Sessions;

/// <summary>Lets one event of a kind be written down in a second, and counts the others. Loop thread only.</summary>
internal struct OncePerSecond
{
    private const int IntervalMs = 1_000;

    private long _nextMs;
    private long _suppressed;

    /// <param name="nowMs">The loop's time.</param>
    /// <param name="suppressed">Events since the last that was written down.</param>
    /// <returns>Whether this one is written down.</returns>
    public bool TryTake(long nowMs, out long suppressed)
    {
        suppressed = _suppressed;
        if (nowMs < _nextMs)
        {
            _suppressed++;
            return false;
        }

        _nextMs = nowMs + IntervalMs;
        _suppressed = 0;
        return true;
    }
}

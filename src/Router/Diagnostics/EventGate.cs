namespace Router.Diagnostics;

/// <summary>Lets one of a kind through in a second, and counts those that it holds back. Any thread.</summary>
/// <typeparam name="TKey">Tells the kinds: an event with its reason.</typeparam>
/// <param name="time">The clock.</param>
internal sealed class EventGate<TKey>(TimeProvider time)
    where TKey : notnull
{
    /// <summary>Kinds that are kept; beyond it those of before a second ago are forgotten, and then all.</summary>
    internal const int KindsMax = 256;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, (long At, long Suppressed)> _kinds = [];

    /// <param name="kind">Which one.</param>
    /// <param name="suppressed">How many of it were held back since the last that was let through.</param>
    public bool Passes(TKey kind, out long suppressed)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var isKnown = _kinds.TryGetValue(kind, out var last);
            suppressed = last.Suppressed;
            if (isKnown && time.GetElapsedTime(last.At, now) < Interval)
            {
                _kinds[kind] = (last.At, suppressed + 1);
                return false;
            }

            if (!isKnown && _kinds.Count >= KindsMax)
            {
                Forget(now);
            }

            _kinds[kind] = (now, 0);
            return true;
        }
    }

    private void Forget(long now)
    {
        foreach (var (kind, last) in _kinds)
        {
            if (last.Suppressed == 0 && time.GetElapsedTime(last.At, now) >= Interval)
            {
                _kinds.Remove(kind);
            }
        }

        if (_kinds.Count >= KindsMax)
        {
            _kinds.Clear();
        }
    }
}

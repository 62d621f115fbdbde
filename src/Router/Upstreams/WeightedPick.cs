namespace Router.Upstreams;

/// <summary>The pick policies where upstreams have different weights: each gets its share of new sessions.</summary>
/// <remarks>Only then: equal weights are picked without these sums.</remarks>
internal static class WeightedPick
{
    /// <summary>The golden section: steps of it go round evenly.</summary>
    private const double Section = 0.618_033_988_75;

    /// <summary>By turns: every run of as many turns as all weights together, in lowest terms, picks each as often as
    /// its weight says, and spread over the run.</summary>
    /// <param name="turn">Grows by one with every pick.</param>
    /// <param name="weights">0 for who must not be picked.</param>
    /// <returns>An index, or -1 when all are 0.</returns>
    public static int RoundRobin(uint turn, ReadOnlySpan<int> weights)
    {
        var (total, divisor) = (0, 0);
        foreach (var weight in weights)
        {
            total += weight;
            divisor = Divisor(divisor, weight);
        }

        if (total == 0)
        {
            return -1;
        }

        total /= divisor;
        var step = Math.Max(1, (int)(total * Section));
        while (Divisor(step, total) != 1)
        {
            step++;
        }

        var place = (int)((long)turn % total * step % total);
        for (var i = 0; ; i++)
        {
            place -= weights[i] / divisor;
            if (place < 0)
            {
                return i;
            }
        }
    }

    /// <summary>The one with the fewest sessions for its weight, the new one counted; among equals the heavier, then by
    /// turns.</summary>
    /// <param name="sessions">Live sessions of each.</param>
    /// <param name="turn">Grows by one with every pick.</param>
    /// <param name="weights">0 for who must not be picked.</param>
    /// <returns>An index, or -1 when all are 0.</returns>
    public static int LeastSessions(ReadOnlySpan<int> sessions, uint turn, ReadOnlySpan<int> weights)
    {
        var picked = -1;
        for (var i = 0; i < weights.Length; i++)
        {
            var index = (int)((i + turn) % (uint)weights.Length);
            if (weights[index] > 0
                && (picked < 0
                    || (sessions[index] + 1L) * weights[picked] < (sessions[picked] + 1L) * weights[index]))
            {
                picked = index;
            }
        }

        return picked;
    }

    /// <summary>By the peer's address, consistently: a change of one weight moves no peer between the others.</summary>
    /// <param name="peer">The peer's key.</param>
    /// <param name="candidates">Their keys.</param>
    /// <param name="weights">0 for who must not be picked.</param>
    /// <returns>An index, or -1 when all are 0.</returns>
    public static int Hash(ulong peer, ReadOnlySpan<ulong> candidates, ReadOnlySpan<int> weights)
    {
        var (picked, least) = (-1, double.PositiveInfinity);
        for (var i = 0; i < candidates.Length; i++)
        {
            // Of exponential variables the least is that of each with the probability of its rate.
            var share = ((PeerHash.Score(peer, candidates[i]) >> 11) + 0.5) / (1UL << 53);
            var time = weights[i] == 0 ? double.PositiveInfinity : -Math.Log(share) / weights[i];
            if (time < least)
            {
                (picked, least) = (i, time);
            }
        }

        return picked;
    }

    private static int Divisor(int a, int b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}

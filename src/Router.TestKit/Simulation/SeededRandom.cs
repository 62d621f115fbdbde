using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>
/// Randomness that a seed replays: the same calls give the same numbers on every machine. One thread.
/// </summary>
/// <remarks>The generator is SplitMix64: 64 bits of state, every seed is good. Not for secrets.</remarks>
internal sealed class SeededRandom(ulong seed) : RandomSource
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private ulong _state = seed;

    public override ulong NextUInt64()
    {
        _state += Step;
        return Mix(_state);
    }

    /// <summary>A number of 0..<paramref name="limit"/>-1; the limit is at least 1.</summary>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return (int)Math.BigMul(NextUInt64(), (ulong)limit, out _);
    }

    /// <summary>
    /// True once in 1/<paramref name="probability"/> calls. At 0 it draws nothing, so that a fault switched off changes
    /// no other.
    /// </summary>
    public bool Chance(double probability) =>
        probability > 0 && (NextUInt64() >> 11) * (1.0 / (1UL << 53)) < probability;

    /// <summary>A time between the two, both possible.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        most <= least
            ? least
            : TimeSpan.FromTicks(least.Ticks + (long)(NextUInt64() % (ulong)(most.Ticks - least.Ticks + 1)));

    /// <summary>
    /// A generator of its own that continues from here: draws of one do not shift those of the other.
    /// </summary>
    public SeededRandom Fork() => new(NextUInt64());

    /// <summary>Fills <paramref name="bytes"/>.</summary>
    public void Fill(Span<byte> bytes)
    {
        foreach (ref var one in bytes)
        {
            one = (byte)(NextUInt64() >> 56);
        }
    }

    internal static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}

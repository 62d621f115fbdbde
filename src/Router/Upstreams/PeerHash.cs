using System.Buffers.Binary;

namespace Router.Upstreams;

/// <summary>
/// By the peer's address, consistently: rendezvous hashing, the candidate with the highest score for the peer wins.
/// </summary>
/// <remarks>
/// Taking one of N candidates away moves exactly its own peers, about 1/N, and spreads them over the others. The
/// constants are
/// fixed: the same pick after a restart and on every member. The peer's port has no part in it, so that all
/// sessions of one host meet at one upstream.
/// </remarks>
internal static class PeerHash
{
    // Digits of pi: odd, with bits all over, and chosen by nobody.
    private const ulong SeedHigh = 0x243F_6A88_85A3_08D3;
    private const ulong SeedLow = 0x1319_8A2E_0370_7345;
    private const ulong SeedPort = 0xA409_3822_299F_31D1;

    private const uint MappedPrefix = 0x0000_FFFF;

    /// <summary>A number for an address of 4 or 16 bytes in network order; ::ffff:a.b.c.d counts as a.b.c.d.</summary>
    public static ulong KeyOf(ReadOnlySpan<byte> address)
    {
        ulong high = 0;
        ulong low;
        if (address.Length == 4)
        {
            low = ((ulong)MappedPrefix << 32) | BinaryPrimitives.ReadUInt32BigEndian(address);
        }
        else
        {
            high = BinaryPrimitives.ReadUInt64BigEndian(address);
            low = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
        }

        return Fold(Fold(high ^ SeedHigh, SeedLow) ^ low, SeedPort);
    }

    /// <summary>A number for a candidate: its address and port.</summary>
    public static ulong KeyOf(ReadOnlySpan<byte> address, int port) => Fold(KeyOf(address) ^ (ulong)port, SeedLow);

    /// <summary>Picks among the candidates that are not excluded.</summary>
    /// <param name="peer">The peer's key.</param>
    /// <param name="candidates">The candidates' keys, in any order: it has no part in the pick.</param>
    /// <param name="excluded">One flag per candidate.</param>
    /// <returns>An index, or -1 when all are excluded.</returns>
    public static int Pick(ulong peer, ReadOnlySpan<ulong> candidates, ReadOnlySpan<bool> excluded)
    {
        var best = -1;
        ulong bestScore = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (excluded[i])
            {
                continue;
            }

            var score = Score(peer, candidates[i]);
            if (best < 0 || score > bestScore || (score == bestScore && candidates[i] < candidates[best]))
            {
                best = i;
                bestScore = score;
            }
        }

        return best;
    }

    internal static ulong Score(ulong peer, ulong candidate) =>
        Fold(Fold(peer ^ candidate, SeedHigh) ^ candidate, SeedPort);

    /// <summary>
    /// Both halves of the product: every bit of <paramref name="a"/> reaches every bit of the result.
    /// </summary>
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}

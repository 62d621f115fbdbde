using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Router.Net;

/// <summary>The seam to randomness: the system's, or a seed's in tests. Any thread.</summary>
internal abstract class RandomSource
{
    /// <summary>Unpredictable to peers: hash seeds and session ids come from it.</summary>
    public static RandomSource System { get; } = new SystemSource();

    public abstract ulong NextUInt64();

    private sealed class SystemSource : RandomSource
    {
        public override ulong NextUInt64()
        {
            Span<byte> bytes = stackalloc byte[8];
            RandomNumberGenerator.Fill(bytes);
            return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
    }
}

using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Sessions;

/// <summary>Hashes a session key: the peer's raw sockaddr and, on a wildcard bind, the local address.</summary>
/// <remarks>
/// Every byte is multiplied into 128 bits with a secret of the process before and after folding, so that neither ports
/// nor
/// addresses that differ in a few bits collide, and nobody outside can choose keys that do.
/// </remarks>
internal readonly struct SessionKeyHash(RandomSource random)
{
    private readonly ulong _s0 = random.NextUInt64();
    private readonly ulong _s1 = random.NextUInt64() | 1;
    private readonly ulong _s2 = random.NextUInt64() | 1;
    private readonly ulong _s3 = random.NextUInt64() | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Of(in SocketAddr peer, in LocalAddr local)
    {
        var hash = Fold(peer.Word0 ^ _s0, _s1);
        if ((peer.Word1 | peer.Word2 | peer.Word3) != 0)
        {
            hash = Fold(hash ^ peer.Word1, _s2) ^ Fold(peer.Word2 ^ _s0, _s3) ^ peer.Word3;
        }

        if (!local.IsEmpty)
        {
            hash = Fold(hash ^ local.High, _s3) ^ Fold(local.Low ^ _s0, _s2) ^ local.Interface;
        }

        return (uint)(Fold(hash, _s2) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}

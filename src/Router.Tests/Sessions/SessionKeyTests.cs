using System.Numerics;
using System.Runtime.InteropServices;
using Router.Net;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.Tests.Sessions;

public sealed class SessionKeyTests
{
    private const int Samples = 400;

    /// <summary>Bytes of an IPv4 sockaddr, of an IPv6 one, and of the local address, that differ between
    /// keys.</summary>
    public static TheoryData<string, int, int, int> Parts => new()
    {
        { "IPv4 port and address", 2, 8, 0 },
        { "IPv6 port", 2, 4, 0 },
        { "IPv6 address and scope", 8, 28, 0 },
        { "local address and interface", 0, 0, 24 },
    };

    [Theory]
    [MemberData(nameof(Parts))]
    public void Every_bit_of_the_key_changes_about_half_of_the_hash(string part, int from, int to, int localBytes)
    {
        var random = new SeededRandom((ulong)part.Length);
        var peerBytes = to - from;
        for (var bit = 0; bit < 8 * (peerBytes + localBytes); bit++)
        {
            var flipped = 0;
            var sameLowBits = 0;
            for (var sample = 0; sample < Samples; sample++)
            {
                var hash = new SessionKeyHash(random);
                var peer = RandomPeer(random, part.StartsWith("IPv6", StringComparison.Ordinal));
                var local = RandomLocal(random, localBytes);
                var before = hash.Of(peer, local);
                Flip(ref peer, ref local, bit, from, peerBytes);
                var difference = before ^ hash.Of(peer, local);
                flipped += BitOperations.PopCount(difference);
                sameLowBits += (difference & 0xFF) == 0 ? 1 : 0;
            }

            var mean = (double)flipped / Samples;
            Assert.True(mean is > 14 and < 18, $"{part}, bit {bit}: {mean} of 32 bits change");
            Assert.True(
                sameLowBits < Samples / 50,
                $"{part}, bit {bit}: the low byte stays {sameLowBits} times of {Samples}");
        }
    }

    [Fact]
    public void The_hash_depends_on_the_secret_of_the_process()
    {
        var peer = SessionRig.At("192.0.2.7:5000");
        var hashes = Enumerable.Range(0, 100)
            .Select(seed => new SessionKeyHash(new SeededRandom((ulong)seed)).Of(peer, default));

        Assert.True(hashes.Distinct().Count() > 98);
    }

    [Fact]
    public void Ids_are_unique_over_loops_and_restarts()
    {
        var ids = new HashSet<SessionId>();
        var random = new SeededRandom(4);
        for (var start = 0; start < 10; start++)
        {
            var process = SessionIdSource.DrawProcess(random);
            for (var loop = 0; loop < 4; loop++)
            {
                var source = new SessionIdSource(process, loop);
                for (var i = 0; i < 2_000; i++)
                {
                    Assert.True(ids.Add(source.Next()));
                }
            }
        }

        Assert.All(ids.Take(10), id => Assert.Equal(32, id.ToString().Length));
        Assert.Equal(ids.Count, ids.Select(id => id.ToString()).Distinct().Count());
    }

    private static SocketAddr RandomPeer(SeededRandom random, bool isIPv6)
    {
        var peer = default(SocketAddr);
        var bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref peer, 1));
        random.Fill(bytes[..(isIPv6 ? 28 : 8)]);
        MemoryMarshal.Write(bytes, isIPv6 ? SocketAddr.FamilyIPv6 : SocketAddr.FamilyIPv4);
        peer.Normalize();
        return peer;
    }

    private static LocalAddr RandomLocal(SeededRandom random, int bytes)
    {
        var local = default(LocalAddr);
        random.Fill(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref local, 1))[..bytes]);
        return local;
    }

    private static void Flip(ref SocketAddr peer, ref LocalAddr local, int bit, int from, int peerBytes)
    {
        var peerSpan = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref peer, 1));
        var localSpan = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref local, 1));
        ref var one = ref (bit / 8 < peerBytes ? ref peerSpan[from + (bit / 8)] : ref localSpan[(bit / 8) - peerBytes]);
        one ^= (byte)(1 << (bit % 8));
    }
}

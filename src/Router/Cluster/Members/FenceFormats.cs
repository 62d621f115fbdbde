using System.Buffers.Binary;
using System.Runtime.Serialization;

namespace Router.Cluster.Members;

/// <summary>How the fence's messages are written: numbers little-endian, one behind the other.</summary>
internal static class FenceFormats
{
    private const int Bytes = 16;

    public static IEnumerable<ClusterFormat> All { get; } =
    [
        ClusterFormat.Of<FencePing>(
            "fp",
            static ping => Write(ping.Sent, ping.From, ping.To),
            static bytes => new FencePing(Sent(bytes), From(bytes), To(bytes))),
        ClusterFormat.Of<FenceEcho>(
            "fe",
            static echo => Write(echo.Sent, echo.From, echo.To),
            static bytes => new FenceEcho(Sent(bytes), From(bytes), To(bytes))),
    ];

    private static byte[] Write(long sent, int from, int to)
    {
        var bytes = new byte[Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, sent);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), from);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), to);
        return bytes;
    }

    private static long Sent(byte[] bytes) => bytes.Length == Bytes
        ? BinaryPrimitives.ReadInt64LittleEndian(bytes)
        : throw new SerializationException($"not {Bytes} bytes");

    private static int From(byte[] bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));

    private static int To(byte[] bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
}

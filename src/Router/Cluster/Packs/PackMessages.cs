using System.Buffers.Binary;
using System.Runtime.Serialization;
using Router.Cluster.Members;

namespace Router.Cluster.Packs;

/// <summary>Payloads for another member, see <see cref="PackBuilder"/>. The bytes are nobody's: never written again.
/// </summary>
internal sealed record Pack(byte[] Bytes) : IClusterMessage, IDeadLetterSuppression
{
    public PackHead Head => PackHead.Read(Bytes);
}

/// <summary>All packs up to a position have come, or never will.</summary>
internal sealed record PackAck(long Position) : IClusterMessage, IDeadLetterSuppression;

/// <summary>Asks for a <see cref="PackAck"/>: the packs before it may be lost.</summary>
internal sealed record PackProbe(long Position) : IClusterMessage, IDeadLetterSuppression;

/// <summary>How they are written: numbers little-endian.</summary>
internal static class PackFormats
{
    public static IEnumerable<ClusterFormat> All { get; } =
    [
        ClusterFormat.Of<Pack>("pk", static pack => pack.Bytes, ReadPack),
        ClusterFormat.Of<PackAck>(
            "pa", static ack => Write(ack.Position), static bytes => new PackAck(ReadPosition(bytes))),
        ClusterFormat.Of<PackProbe>(
            "pq", static probe => Write(probe.Position), static bytes => new PackProbe(ReadPosition(bytes))),
    ];

    private static Pack ReadPack(byte[] bytes) =>
        bytes.Length >= PackHead.Bytes ? new Pack(bytes) : throw Unreadable(bytes);

    private static byte[] Write(long position)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, position);
        return bytes;
    }

    private static long ReadPosition(byte[] bytes) =>
        bytes.Length == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : throw Unreadable(bytes);

    private static SerializationException Unreadable(byte[] bytes) =>
        new($"a message of packs of {bytes.Length} bytes");
}

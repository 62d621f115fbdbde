using System.Buffers.Binary;
using System.Runtime.Serialization;
using Router.Cluster.Members;
using Router.Cluster.Packs;

namespace Router.Cluster.Relay;

/// <summary>What a member says of its relay.</summary>
internal enum RelayHelloKind : byte
{
    /// <summary>It is there, and asks who else is.</summary>
    Asks,

    /// <summary>It is there.</summary>
    Answers,

    /// <summary>It drains: what balancers send to others may change now.</summary>
    Drains,

    /// <summary>It is there no more.</summary>
    Ends,
}

/// <inheritdoc cref="RelayHelloKind"/>
internal sealed record RelayHello(RelayHelloKind Kind) : IClusterMessage, IDeadLetterSuppression;

/// <summary>Datagrams, answers and notes, see <see cref="PackBuilder"/> and <see cref="RelayNotes"/>. The bytes
/// are nobody's: never written again.</summary>
internal sealed record RelayPack(byte[] Bytes) : IClusterMessage, IDeadLetterSuppression
{
    public PackHead Head => PackHead.Read(Bytes);
}

/// <summary>All packs up to a position have come, or never will.</summary>
internal sealed record RelayAck(long Position) : IClusterMessage, IDeadLetterSuppression;

/// <summary>Asks for a <see cref="RelayAck"/>: the packs before it may be lost.</summary>
internal sealed record RelayProbe(long Position) : IClusterMessage, IDeadLetterSuppression;

/// <summary>How they are written: numbers little-endian.</summary>
internal static class RelayFormats
{
    public static IEnumerable<ClusterFormat> All { get; } =
    [
        ClusterFormat.Of<RelayHello>("yh", static hello => [(byte)hello.Kind], ReadHello),
        ClusterFormat.Of<RelayPack>("yk", static pack => pack.Bytes, ReadPack),
        ClusterFormat.Of<RelayAck>(
            "ya", static ack => Write(ack.Position), static bytes => new RelayAck(ReadPosition(bytes))),
        ClusterFormat.Of<RelayProbe>(
            "yq", static probe => Write(probe.Position), static bytes => new RelayProbe(ReadPosition(bytes))),
    ];

    private static RelayHello ReadHello(byte[] bytes) =>
        bytes.Length == 1 ? new RelayHello((RelayHelloKind)bytes[0]) : throw Unreadable(bytes);

    private static RelayPack ReadPack(byte[] bytes) =>
        bytes.Length >= PackHead.Bytes ? new RelayPack(bytes) : throw Unreadable(bytes);

    private static byte[] Write(long position)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, position);
        return bytes;
    }

    private static long ReadPosition(byte[] bytes) =>
        bytes.Length == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : throw Unreadable(bytes);

    private static SerializationException Unreadable(byte[] bytes) =>
        new($"a message of relays of {bytes.Length} bytes");
}

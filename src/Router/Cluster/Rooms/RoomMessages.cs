using System.Buffers.Binary;
using System.Runtime.Serialization;
using System.Text;
using Router.Cluster.Members;

namespace Router.Cluster.Rooms;

/// <summary>The sender has sessions in a room. Said by the room's topic, or as an answer.</summary>
/// <param name="Topic">The room's.</param>
/// <param name="WantsAnswer">Who is in it too says so to the sender.</param>
/// <param name="Ports">All that the sender has of the room: where it hears what is said.</param>
internal sealed record RoomHello(string Topic, bool WantsAnswer, IReadOnlyList<long> Ports)
    : IClusterMessage, IDeadLetterSuppression;

/// <summary>The sender does not hear on these ports, or not any more.</summary>
internal sealed record RoomBye(IReadOnlyList<long> Ports) : IClusterMessage, IDeadLetterSuppression;

/// <summary>How they are written: numbers little-endian.</summary>
internal static class RoomFormats
{
    /// <summary>Ports of a member in one message.</summary>
    public const int PortsMax = 1_000;

    public static IEnumerable<ClusterFormat> All { get; } =
    [
        ClusterFormat.Of<RoomHello>("rh", Write, ReadHello),
        ClusterFormat.Of<RoomBye>(
            "rb", static bye => Write(bye.Ports, 0), static bytes => new RoomBye(ReadPorts(bytes))),
    ];

    /// <summary>A byte for the flag, two for the topic's length, the topic, the ports.</summary>
    private static byte[] Write(RoomHello hello)
    {
        var topic = Encoding.UTF8.GetBytes(hello.Topic);
        var bytes = Write(hello.Ports, 3 + topic.Length);
        bytes[0] = hello.WantsAnswer ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(1), (ushort)topic.Length);
        topic.CopyTo(bytes, 3);
        return bytes;
    }

    private static RoomHello ReadHello(byte[] bytes)
    {
        if (bytes.Length < 3 || bytes.Length < 3 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(1)))
        {
            throw Short(bytes);
        }

        var topic = bytes.AsSpan(3, BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(1)));
        return new RoomHello(
            Encoding.UTF8.GetString(topic), bytes[0] != 0, ReadPorts(bytes.AsSpan(3 + topic.Length)));
    }

    private static byte[] Write(IReadOnlyList<long> ports, int at)
    {
        var bytes = new byte[at + (ports.Count * sizeof(long))];
        foreach (var port in ports)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), port);
            at += sizeof(long);
        }

        return bytes;
    }

    private static long[] ReadPorts(ReadOnlySpan<byte> bytes)
    {
        var ports = new long[Math.Min(bytes.Length / sizeof(long), PortsMax)];
        for (var i = 0; i < ports.Length; i++)
        {
            ports[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * sizeof(long))..]);
        }

        return ports;
    }

    private static SerializationException Short(byte[] bytes) => new($"a message of rooms of {bytes.Length} bytes");
}

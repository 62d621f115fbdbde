using System.Buffers.Binary;
using Akka.Serialization;

namespace Router.Cluster.Members;

/// <summary>A message between members, written by <see cref="ClusterSerializer"/>.</summary>
internal interface IClusterMessage;

/// <summary>Writes and reads the messages between members. Each has a manifest of its own, which is never given to
/// another; a member that does not know one drops the message.</summary>
internal sealed class ClusterSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string PingManifest = "fp", EchoManifest = "fe";

    /// <summary>Of all serializers that a cluster has; below 100 are Akka's.</summary>
    public override int Identifier => 27_200;

    public override string Manifest(object o) => o switch
    {
        FencePing => PingManifest,
        FenceEcho => EchoManifest,
        _ => throw Unknown(o.GetType().ToString()),
    };

    public override byte[] ToBinary(object obj) => obj switch
    {
        FencePing ping => Write(ping.Sent, ping.From, ping.To),
        FenceEcho echo => Write(echo.Sent, echo.From, echo.To),
        _ => throw Unknown(obj.GetType().ToString()),
    };

    public override object FromBinary(byte[] bytes, string manifest)
    {
        switch (manifest)
        {
            case PingManifest:
                var ping = Read(bytes);
                return new FencePing(ping.Sent, ping.From, ping.To);
            case EchoManifest:
                var echo = Read(bytes);
                return new FenceEcho(echo.Sent, echo.From, echo.To);
            default:
                throw Unknown(manifest);
        }
    }

    private static byte[] Write(long sent, int from, int to)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, sent);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), from);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), to);
        return bytes;
    }

    private static (long Sent, int From, int To) Read(byte[] bytes) => bytes.Length != 16
        ? throw new System.Runtime.Serialization.SerializationException("not 16 bytes")
        : (BinaryPrimitives.ReadInt64LittleEndian(bytes),
            BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)),
            BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)));

    private static ArgumentException Unknown(string what) => new($"no message between members: {what}");
}

using Akka.Serialization;
using Router.Cluster.Operations;
using Router.Cluster.Packs;
using Router.Cluster.Relay;
using Router.Cluster.Rooms;

namespace Router.Cluster.Members;

/// <summary>A message between members, written by <see cref="ClusterSerializer"/>.</summary>
internal interface IClusterMessage;

/// <summary>How one type of message is written and read.</summary>
/// <param name="Manifest">Its own, which is never given to another, nor to another way to write it: a member that does
/// not know one drops the message.</param>
internal sealed record ClusterFormat(
    Type Type, string Manifest, Func<object, byte[]> Write, Func<byte[], object> Read)
{
    public static ClusterFormat Of<T>(string manifest, Func<T, byte[]> write, Func<byte[], T> read)
        where T : IClusterMessage =>
        new(typeof(T), manifest, message => write((T)message), bytes => read(bytes));
}

/// <summary>Writes and reads the messages between members. Any thread.</summary>
internal sealed class ClusterSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private static readonly Dictionary<Type, ClusterFormat> ByType = All.ToDictionary(static format => format.Type);

    private static readonly Dictionary<string, ClusterFormat> ByManifest =
        All.ToDictionary(static format => format.Manifest, StringComparer.Ordinal);

    /// <summary>Of all messages; new ones are entered here.</summary>
    public static IEnumerable<ClusterFormat> All =>
        [
            .. FenceFormats.All, .. PackFormats.All, .. RoomFormats.All, .. OperationsFormats.All,
            RelayHello.Format, ConfigurationTold.Format, ClusterStanding.Format,
        ];

    /// <summary>Of all serializers that a cluster has; below 100 are Akka's.</summary>
    public override int Identifier => 27_200;

    public override string Manifest(object o) => FormatOf(o).Manifest;

    public override byte[] ToBinary(object obj) => FormatOf(obj).Write(obj);

    public override object FromBinary(byte[] bytes, string manifest) =>
        ByManifest.TryGetValue(manifest, out var format) ? format.Read(bytes) : throw Unknown(manifest);

    private static ClusterFormat FormatOf(object message) =>
        ByType.TryGetValue(message.GetType(), out var format) ? format : throw Unknown(message.GetType().ToString());

    private static ArgumentException Unknown(string what) => new($"no message between members: {what}");
}

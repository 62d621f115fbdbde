using System.Buffers.Binary;
using System.Runtime.Serialization;
using Akka.Cluster;

namespace Router.Cluster.Members;

/// <summary>What the oldest member of a cluster tells of it to one that is in another.</summary>
/// <param name="Kind">Whether it wants to hear the same.</param>
/// <param name="Members">With listeners.</param>
/// <param name="AgeMs">How long the oldest has been up.</param>
internal sealed record ClusterStanding(ClusterStandingKind Kind, int Members, long AgeMs)
    : IClusterMessage, IDeadLetterSuppression
{
    /// <summary>Ages within it count as the same: each is of another moment.</summary>
    public const long SameAgeMs = 5_000;

    private const int Bytes = 1 + sizeof(int) + sizeof(long);

    public static ClusterFormat Format { get; } = ClusterFormat.Of<ClusterStanding>("cs", Write, Read);

    /// <summary>Of two clusters, which one goes on: the older one, since it has the identities; of the same age the
    /// larger one, else the one whose oldest member has the lower address. Both sides come to the same end.</summary>
    /// <param name="self">Of the oldest member of this one.</param>
    /// <param name="other">Of the other's.</param>
    /// <param name="theirs">What the other one is.</param>
    public bool GoesOn(Address self, Address other, ClusterStanding theirs)
    {
        var older = AgeMs - theirs.AgeMs;
        return Math.Abs(older) > SameAgeMs ? older > 0
            : Members != theirs.Members ? Members > theirs.Members
            : Member.AddressOrdering.Compare(self, other) < 0;
    }

    private static byte[] Write(ClusterStanding standing)
    {
        var bytes = new byte[Bytes];
        bytes[0] = (byte)standing.Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), standing.Members);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(5), standing.AgeMs);
        return bytes;
    }

    private static ClusterStanding Read(byte[] bytes) =>
        bytes.Length == Bytes && bytes[0] <= (byte)ClusterStandingKind.Answer
            ? new ClusterStanding(
                (ClusterStandingKind)bytes[0],
                BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(1)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(5)))
            : throw new SerializationException($"no standing of a cluster in {bytes.Length} bytes");
}

internal enum ClusterStandingKind : byte
{
    Question,

    /// <summary>A question that another member was asked first.</summary>
    Forwarded,

    Answer,
}

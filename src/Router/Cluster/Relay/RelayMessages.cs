using System.Runtime.Serialization;
using Router.Cluster.Members;

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
internal sealed record RelayHello(RelayHelloKind Kind) : IClusterMessage, IDeadLetterSuppression
{
    public static ClusterFormat Format { get; } =
        ClusterFormat.Of<RelayHello>("yh", static hello => [(byte)hello.Kind], Read);

    private static RelayHello Read(byte[] bytes) => bytes.Length == 1
        ? new RelayHello((RelayHelloKind)bytes[0])
        : throw new SerializationException($"a message of relays of {bytes.Length} bytes");
}

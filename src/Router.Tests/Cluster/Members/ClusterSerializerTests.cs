using System.Runtime.Serialization;
using Router.Cluster.Members;
using Router.Cluster.Operations;

namespace Router.Tests.Cluster.Members;

public sealed class ClusterSerializerTests : IDisposable
{
    private readonly ExtendedActorSystem _system = (ExtendedActorSystem)ActorSystem.Create("serializer");

    public void Dispose() => _system.Dispose();

    public static TheoryData<object> Messages =>
    [
        new FencePing(1L << 40, -7, 8), new FenceEcho(-1, 9, int.MaxValue),
        new MemberQuestion("identity", "Käthe"), new MemberAnswer(200, "{}"),
        new ClusterStanding(ClusterStandingKind.Forwarded, 3, 1L << 40),
        new ConfigurationTold(new string('a', 16), new string('1', 32), new string('f', 32)),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_comes_back_as_it_was(object message)
    {
        var serializer = new ClusterSerializer(_system);

        var bytes = serializer.ToBinary(message);

        Assert.Equal(message, serializer.FromBinary(bytes, serializer.Manifest(message)));
        Assert.ThrowsAny<SerializationException>(
            () => serializer.FromBinary(bytes[..^1], serializer.Manifest(message)));
    }

    [Fact]
    public void What_is_not_known_is_refused()
    {
        var serializer = new ClusterSerializer(_system);

        Assert.Throws<ArgumentException>(() => serializer.FromBinary([], "no-such"));
        Assert.Throws<ArgumentException>(() => serializer.Manifest("text"));
        Assert.Throws<ArgumentException>(() => serializer.ToBinary("text"));
    }
}

using Router.Cluster.Identities;

namespace Router.Tests.Cluster;

public sealed class IdentitySerializerTests : IDisposable
{
    private readonly ExtendedActorSystem _system = (ExtendedActorSystem)ActorSystem.Create("serializer");

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData("another session")]
    [InlineData(null)]
    public void An_attachment_comes_with_whom_it_supersedes_and_that_of_an_older_member_without(string? supersedes)
    {
        var serializer = new IdentitySerializer(_system);
        var message = new Attached("id", IdentityWorld.Id(7), 3, new KeptState(2, "state"u8.ToArray()), supersedes);

        var bytes = serializer.ToBinary(message);

        var read = Assert.IsType<Attached>(serializer.FromBinary(bytes, serializer.Manifest(message)));
        Assert.Equal(message with { State = read.State }, read);
        Assert.Equal("state"u8.ToArray(), read.State.Bytes.ToArray());
        var lengthOfText = 1 + (supersedes?.Length ?? 0);
        var older = Assert.IsType<Attached>(serializer.FromBinary(bytes[..^lengthOfText], "attached"));
        Assert.Equal(message with { State = older.State, Supersedes = null }, older);
    }
}

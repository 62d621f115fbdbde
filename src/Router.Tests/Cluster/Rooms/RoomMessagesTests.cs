using System.Runtime.Serialization;
using Router.Cluster.Members;
using Router.Cluster.Rooms;
using Router.TestKit;

namespace Router.Tests.Cluster.Rooms;

/// <summary>How messages between members are written.</summary>
public sealed class RoomMessagesTests : IDisposable
{
    private readonly RouterTestKit _kit = new();
    private readonly ClusterSerializer _serializer;

    public RoomMessagesTests() => _serializer = new ClusterSerializer((ExtendedActorSystem)_kit.Sys);

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void Messages_are_read_as_they_were_written()
    {
        var hello = Again(new RoomHello("room/router/rooms/caf\u00e9", true, [1, long.MaxValue]));
        Assert.Equal("room/router/rooms/caf\u00e9", hello.Topic);
        Assert.True(hello.WantsAnswer);
        Assert.Equal([1, long.MaxValue], hello.Ports);
        Assert.Equal([7L], Again(new RoomBye([7])).Ports);
    }

    [Fact]
    public void Every_message_has_a_format()
    {
        var types = typeof(IClusterMessage).Assembly.GetTypes()
            .Where(static type => type.IsAssignableTo(typeof(IClusterMessage)) && !type.IsInterface);
        Assert.Equal(
            types.Select(static type => type.Name).Order(),
            ClusterSerializer.All.Select(static format => format.Type.Name).Order());
    }

    [Fact]
    public void A_message_that_is_cut_short_is_refused()
    {
        foreach (var format in RoomFormats.All.Where(static format => format.Type != typeof(RoomBye)))
        {
            Assert.Throws<SerializationException>(() => format.Read([1]));
        }
    }

    [Fact]
    public void The_longest_messages_are_far_from_the_frames_limit()
    {
        var ports = Enumerable.Range(0, RoomFormats.PortsMax).Select(static i => (long)i).ToList();
        Assert.InRange(_serializer.ToBinary(new RoomBye(ports)).Length, 1, ClusterSettings.FrameBytes / 2);
        Assert.Equal(ports, Again(new RoomBye(ports)).Ports);
    }

    private T Again<T>(T message) =>
        (T)_serializer.FromBinary(_serializer.ToBinary(message!), _serializer.Manifest(message!));
}

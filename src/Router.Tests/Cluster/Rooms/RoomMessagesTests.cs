using System.Runtime.Serialization;
using System.Text;
using Router.Cluster.Members;
using Router.Cluster.Packs;
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
        Assert.Equal(1L << 40, Again(new RoomAck(1L << 40)).Position);
        Assert.Equal(3, Again(new RoomProbe(3)).Position);
        var builder = new PackBuilder();
        builder.Add(5, "said"u8);
        var pack = Again(new RoomPack(builder.Take(new PackHead(99, false))));
        Assert.Equal(new PackHead(99, false), pack.Head);
        Assert.Equal(["5:said"], RoomsActorTests.TextOf(pack));
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

    [Theory]
    [InlineData("00")]                                               // half a head
    [InlineData("0100000000000000 05000000 01000000 01")]            // more bytes than there are
    [InlineData("0100000000000000 ffffffff 01000000 01")]            // less than none
    [InlineData("0100000000000000 02000000 03000000 0000")]          // more payloads than bytes
    public void A_pack_whose_lengths_do_not_add_up_is_refused(string runs)
    {
        byte[] pack = [.. new byte[PackHead.Bytes], .. Convert.FromHexString(runs.Replace(" ", ""))];
        Assert.False(PackRun.TryRead(pack, []));
    }

    [Fact]
    public void A_run_whose_payload_is_cut_ends_before_it()
    {
        ReadOnlySpan<byte> run = [1, 0, (byte)'a', 5, 0, (byte)'b'];
        Assert.True(PackRun.TryTake(ref run, out var payload));
        Assert.Equal("a", Encoding.ASCII.GetString(payload));
        Assert.False(PackRun.TryTake(ref run, out _));
    }

    [Fact]
    public void The_longest_messages_are_far_from_the_frames_limit()
    {
        var builder = new PackBuilder();
        builder.Add(1, new byte[PackBuilder.FlushBytes - 100]);
        builder.Add(1, new byte[65_507]);
        var ports = Enumerable.Range(0, RoomFormats.PortsMax).Select(static i => (long)i).ToList();
        var pack = new RoomPack(builder.Take(new PackHead(1, false)));
        Assert.InRange(_serializer.ToBinary(pack).Length, 1, ClusterSettings.FrameBytes / 2);
        Assert.InRange(_serializer.ToBinary(new RoomBye(ports)).Length, 1, ClusterSettings.FrameBytes / 2);
        Assert.Equal(ports, Again(new RoomBye(ports)).Ports);
    }

    private T Again<T>(T message) =>
        (T)_serializer.FromBinary(_serializer.ToBinary(message!), _serializer.Manifest(message!));
}

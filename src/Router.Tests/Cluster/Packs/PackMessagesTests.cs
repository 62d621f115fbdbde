using System.Runtime.Serialization;
using System.Text;
using Router.Cluster.Members;
using Router.Cluster.Packs;

namespace Router.Tests.Cluster.Packs;

public sealed class PackMessagesTests
{
    [Fact]
    public void Messages_are_read_as_they_were_written()
    {
        Assert.Equal(1L << 40, Again(new PackAck(1L << 40)).Position);
        Assert.Equal(3, Again(new PackProbe(3)).Position);
        var builder = new PackBuilder();
        builder.Add(5, "said"u8);
        builder.Add(6, ""u8);
        var pack = Again(new Pack(builder.Take(new PackHead(99, WantsAck: true))));
        Assert.Equal(new PackHead(99, WantsAck: true), pack.Head);
        Assert.Equal(["5:said", "6:"], PackText.Of(pack));
    }

    [Fact]
    public void A_message_that_is_cut_short_is_refused() => Assert.All(
        PackFormats.All, static format => Assert.Throws<SerializationException>(() => format.Read([1])));

    [Fact]
    public void The_longest_pack_is_far_from_the_frames_limit()
    {
        var builder = new PackBuilder();
        builder.Add(1, new byte[PackBuilder.FlushBytes - 100]);
        builder.Add(1, new byte[65_507]);
        Assert.InRange(builder.Take(new PackHead(1, WantsAck: false)).Length, 1, ClusterSettings.FrameBytes / 2);
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

    private static T Again<T>(T message)
        where T : IClusterMessage
    {
        var format = PackFormats.All.Single(static format => format.Type == typeof(T));
        return (T)format.Read(format.Write(message));
    }
}

/// <summary>What is in a pack, for tests.</summary>
internal static class PackText
{
    /// <returns>Each payload with its port, as <c>17:payload</c>.</returns>
    public static IReadOnlyList<string> Of(Pack pack)
    {
        var runs = new List<PackRun>();
        Assert.True(PackRun.TryRead(pack.Bytes, runs));
        var text = new List<string>();
        foreach (var run in runs)
        {
            ReadOnlySpan<byte> bytes = pack.Bytes.AsSpan(run.Start, run.Length);
            var count = 0;
            while (PackRun.TryTake(ref bytes, out var payload))
            {
                text.Add($"{run.Port}:{Encoding.ASCII.GetString(payload)}");
                count++;
            }

            Assert.Equal(run.Payloads, count);
        }

        return text;
    }
}

using Router.Net;

namespace Router.Tests.Net;

public sealed class DatagramQueueTests
{
    [Fact]
    public unsafe void A_queue_holds_its_capacity_and_no_more()
    {
        using var queue = new DatagramQueue(3);
        var peer = NetRig.At("127.0.0.1:1");
        for (var i = 0; i < 3; i++)
        {
            Assert.True(queue.HasRoom(1));
            *queue.Reserve(1) = (byte)i;
            queue.Commit(1, peer, default);
        }

        Assert.True(queue.IsFull);
        Assert.False(queue.HasRoom(0));
        Assert.Throws<CheckFailedException>(() => queue.Add(null, 0, peer, default));
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 3).Select(i => (int)*queue.At(i)->Payload));

        queue.Clear();
        Assert.True(queue.HasRoom(1));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public unsafe void The_arena_holds_four_of_the_longest_datagrams()
    {
        using var queue = new DatagramQueue(100);
        var peer = NetRig.At("127.0.0.1:1");
        for (var i = 0; i < 4; i++)
        {
            Assert.True(queue.HasRoom(65_507));
            queue.Reserve(65_507);
            queue.Commit(65_507, peer, default);
        }

        Assert.False(queue.HasRoom(65_507));
        Assert.Throws<CheckFailedException>(() => queue.Reserve(65_507));
        Assert.Throws<CheckFailedException>(() => queue.Commit(65_507, peer, default));
    }

    [Fact]
    public unsafe void Payloads_copied_in_do_not_overlap()
    {
        using var queue = new DatagramQueue(200);
        var peer = NetRig.At("127.0.0.1:1");
        for (var i = 0; i < 200; i++)
        {
            new Span<byte>(queue.Reserve(i), i).Fill((byte)i);
            queue.Commit(i, peer, default);
        }

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(i, queue.At(i)->Length);
            Assert.False(new Span<byte>(queue.At(i)->Payload, i).ContainsAnyExcept((byte)i));
        }
    }

    [Fact]
    public unsafe void A_batch_knows_its_own_bytes()
    {
        using var batch = new DatagramBatch(4);
        var foreign = stackalloc byte[1];

        Assert.True(batch.Holds(batch.Payload(0)));
        Assert.True(batch.Holds(batch.Payload(3) + DatagramBatch.SlotBytes - 1));
        Assert.False(batch.Holds(batch.Payload(0) - 1));
        Assert.False(batch.Holds(foreign));
    }
}

using System.Text;
using Router.Net;
using Router.Sessions;

namespace Router.Tests.Sessions;

public sealed class DatagramRunTests
{
    [Fact]
    public void A_batch_of_one_is_enumerated_once()
    {
        Assert.Equal(["bytes"], Texts(new PayloadBatch("bytes"u8)));
        Assert.Equal([""], Texts(new PayloadBatch(default(ReadOnlySpan<byte>))));
        Assert.Equal(1, new PayloadBatch("bytes"u8).Count);
    }

    [Fact]
    public void A_run_lists_its_own_slots_in_order_and_empty_datagrams_too()
    {
        using var rig = new SessionRig();
        using var batch = Filled("a", "b", "", "c", "", "d");
        var next = new int[16];
        var odd = new DatagramRun(batch, next, rig.Loop.Buffers);
        var even = new DatagramRun(batch, next, rig.Loop.Buffers);
        var session = rig.Session(SessionRig.At("192.0.2.1:1"));
        even.Begin(session, 0, 1);
        odd.Begin(session, 1, 1);
        even.Append(2, 0);
        odd.Append(3, 1);
        even.Append(4, 0);
        odd.Append(5, 1);

        Assert.Equal(["a", "", ""], Texts(new PayloadBatch(even)));
        Assert.Equal(["b", "c", "d"], Texts(new PayloadBatch(odd)));
        Assert.Equal((3, 1), (even.Count, even.Bytes));
        Assert.Equal((3, 3), (odd.Count, odd.Bytes));
        Assert.Equal(3, new PayloadBatch(odd).Count);
    }

    [Fact]
    public void A_detached_run_keeps_its_payloads_when_the_slots_are_used_again()
    {
        using var rig = new SessionRig();
        using var batch = Filled("one", "", "three", "other");
        var run = new DatagramRun(batch, new int[16], rig.Loop.Buffers);
        run.Begin(rig.Session(SessionRig.At("192.0.2.1:1")), 0, 3);
        run.Append(1, 0);
        run.Append(2, 5);
        var copy = run.Copy();
        run.Detach();
        Assert.Equal(2, rig.Loop.Buffers.Rented);

        Fill(batch, "XXXXX", "XXXXX", "XXXXX", "XXXXX");
        Assert.Equal(["one", "", "three"], Texts(new PayloadBatch(run)));
        Assert.Equal(["one", "", "three"], Texts(new PayloadBatch(run)));
        Assert.Equal(["one", "", "three"], Texts(new PayloadBatch(copy)));
        Assert.Equal((3, 8), (copy.Count, copy.Bytes));

        run.Release();
        run.Release();
        copy.Release();
        Assert.Equal(0, rig.Loop.Buffers.Rented);
    }

    [Fact]
    public void Only_empty_datagrams_can_be_detached_as_well()
    {
        using var rig = new SessionRig();
        using var batch = Filled("", "");
        var run = new DatagramRun(batch, new int[16], rig.Loop.Buffers);
        run.Begin(rig.Session(SessionRig.At("192.0.2.1:1")), 0, 0);
        run.Append(1, 0);
        run.Detach();

        Assert.Equal(["", ""], Texts(new PayloadBatch(run)));
        run.Release();
    }

    [Fact]
    public void A_train_is_enumerated_datagram_by_datagram_among_single_ones()
    {
        using var rig = new SessionRig();
        using var batch = Filled("a", "bbcce", "", "ffff", "other");
        batch.Segment(1) = 2;
        batch.Segment(3) = 4;
        var run = TrainRun(rig, batch);

        Assert.Equal(["a", "bb", "cc", "e", "", "ffff"], Texts(new PayloadBatch(run)));
        Assert.Equal((6, 10), (run.Count, run.Bytes));
        Assert.Equal([1, 3, 1, 1], Enumerable.Range(0, 4).Select(batch.Datagrams));
    }

    [Fact]
    public void What_is_left_of_a_train_is_what_was_not_handed_out_detached_or_not()
    {
        using var rig = new SessionRig();
        using var batch = Filled("a", "bbcce", "", "ffff", "other");
        batch.Segment(1) = 2;
        var run = TrainRun(rig, batch);
        var copy = run.Copy();
        HandOut(run, 3);
        HandOut(copy, 4);

        Assert.Equal((3, 5, 1), run.SkipHanded());
        Assert.Equal(["e", "", "ffff"], Texts(new PayloadBatch(run)));
        Assert.Equal((4, 6, 1), copy.SkipHanded());
        HandOut(run, 1);
        Assert.Equal(["", "ffff"], Texts(new PayloadBatch(copy)));
        run.Detach();
        Fill(batch, "XXXXX", "XXXXX", "XXXXX", "XXXXX", "XXXXX");
        Assert.Equal(["e", "", "ffff"], Texts(new PayloadBatch(run)));
        copy.Release();
        run.Release();
    }

    private static DatagramRun TrainRun(SessionRig rig, DatagramBatch batch)
    {
        var run = new DatagramRun(batch, new int[16], rig.Loop.Buffers);
        run.Begin(rig.Session(SessionRig.At("192.0.2.1:1")), 0, 1);
        run.Append(1, 5, batch.Datagrams(1));
        run.Append(2, 0);
        run.Append(3, 4, batch.Datagrams(3));
        return run;
    }

    private static void HandOut(DatagramRun run, int count)
    {
        var payloads = new PayloadBatch(run).GetEnumerator();
        for (var i = 0; i < count; i++)
        {
            Assert.True(payloads.MoveNext());
        }
    }

    private static DatagramBatch Filled(params string[] payloads)
    {
        var batch = new DatagramBatch(16);
        Fill(batch, payloads);
        return batch;
    }

    private static unsafe void Fill(DatagramBatch batch, params string[] payloads)
    {
        for (var slot = 0; slot < payloads.Length; slot++)
        {
            var bytes = Encoding.ASCII.GetBytes(payloads[slot]);
            bytes.CopyTo(new Span<byte>(batch.Payload(slot), bytes.Length));
            batch.Length(slot) = bytes.Length;
        }

        batch.Count = payloads.Length;
    }

    private static List<string> Texts(PayloadBatch batch)
    {
        var texts = new List<string>();
        foreach (var payload in batch)
        {
            texts.Add(Encoding.ASCII.GetString(payload));
        }

        return texts;
    }
}

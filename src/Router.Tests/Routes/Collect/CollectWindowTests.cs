using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;
using Router.Tests.Sessions;

namespace Router.Tests.Routes;

/// <summary>When windows end, and what is in them.</summary>
public sealed class CollectWindowTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_window_ends_so_long_after_its_first_payload_and_silence_makes_none()
    {
        using var rig = new CollectRig(CollectRig.Settings);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route));
        rig.Kit.Advance(Second);
        peer.Send("a"u8);
        rig.Kit.Advance(Second);
        peer.Send("b"u8);
        rig.Kit.Advance(0.9 * Second);
        Assert.Empty(rig.Windows);

        rig.Kit.Advance(0.2 * Second);
        Assert.Equal(["1: a b"], rig.Windows);
        Assert.Equal(0, rig.Kit.Loops[0].ArmedTimers);   // nothing wakes the loop until the next payload

        rig.Kit.Advance(10 * Second);
        peer.Send("c"u8);
        rig.Kit.Advance(2.1 * Second);
        Assert.Equal(["1: a b", "2: c"], rig.Windows);
        Assert.Empty(peer.Received);
        rig.Finish();
    }

    [Theory]
    [InlineData(3, 1 << 20, "1: aaaa bbbb cccc", "2: dddd eeee")]      // count first
    [InlineData(0, 8, "1: aaaa bbbb", "2: cccc dddd", "3: eeee")]     // bytes first
    [InlineData(2, 8, "1: aaaa bbbb", "2: cccc dddd", "3: eeee")]     // both at once: one window, not two
    [InlineData(0, 7, "1: aaaa", "2: bbbb", "3: cccc", "4: dddd", "5: eeee")]
    [InlineData(0, 3, "1: aaaa", "2: bbbb", "3: cccc", "4: dddd", "5: eeee")]   // each longer than a window
    [InlineData(0, 1 << 20, "1: aaaa bbbb cccc dddd eeee")]           // time first
    public void A_window_ends_by_whichever_limit_comes_first(int count, int bytes, params string[] windows)
    {
        using var rig = new CollectRig(CollectRig.Settings with { Count = count, Bytes = bytes });
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route));
        foreach (var letter in "abcde")
        {
            peer.Send(Enumerable.Repeat((byte)letter, 4).ToArray());
        }

        rig.Kit.Advance(3 * Second);
        Assert.Equal(windows, rig.Windows);
        rig.Finish();
    }

    [Fact]
    public void Sessions_have_windows_of_their_own()
    {
        using var rig = new CollectRig(CollectRig.Settings with { Count = 2 });
        var listener = rig.Kit.BindUdp(rig.Route);
        var (one, two) = (
            rig.Kit.UdpPeer("192.0.2.7:5000", listener), rig.Kit.UdpPeer("192.0.2.8:5000", listener));
        one.Send("a1"u8);
        two.Send("b1"u8);
        one.Send("a2"u8);
        two.Send("b2"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["1: a1 a2", "1: b1 b2"], rig.Windows.Order());
        rig.Finish();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_listeners_window_gathers_what_comes_on_all_loops(int loops)
    {
        using var rig = new CollectRig(
            CollectRig.Settings with { Per = CollectScope.Listener, Count = 40 }, loops);
        var listener = rig.Kit.BindUdp(rig.Route);
        var peers = Enumerable.Range(0, 20)
            .Select(i => rig.Kit.UdpPeer($"192.0.2.7:{5000 + i}", listener))
            .ToList();
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < peers.Count; i++)
            {
                peers[i].Send(System.Text.Encoding.ASCII.GetBytes($"{i}.{round}"));
            }

            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(2, rig.Windows.Count);
        Assert.All(rig.Windows, static window => Assert.Equal(41, window.Split(' ').Length));
        rig.Kit.Advance(2.1 * Second);
        Assert.Equal(3, rig.Windows.Count);
        Assert.Equal(
            Enumerable.Range(0, 20).SelectMany(i => Enumerable.Range(0, 5).Select(r => $"{i}.{r}")).Order(),
            rig.Windows.SelectMany(static window => window.Split(' ')[1..]).Order());
        rig.Finish();
    }

    [Fact]
    public void A_sliding_window_is_delivered_every_so_often_with_what_came_in_its_length()
    {
        using var rig = new CollectRig(CollectRig.Settings with { WindowMs = 3_000, EveryMs = 1_000 });
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route));
        foreach (var letter in "abcd")
        {
            peer.Send([(byte)letter]);
            rig.Kit.Advance(1.01 * Second);
        }

        Assert.Equal(["1: a", "2: a b", "3: a b c", "4: b c d"], rig.Windows);
        rig.Kit.Advance(10 * Second);
        Assert.Equal(["5: c d", "6: d"], rig.Windows.Skip(4));
        Assert.Equal(0, rig.Kit.Loops[0].ArmedTimers);
        rig.Finish();
        Assert.Equal(6, rig.Windows.Count);   // all of it was delivered before the end
    }

    [Theory]
    [InlineData(2, 1 << 20, "1: d e")]
    [InlineData(0, 3, "1: c d e")]
    public void A_sliding_window_keeps_the_latest(int count, int bytes, string window)
    {
        using var rig = new CollectRig(CollectRig.Settings with { EveryMs = 1_000, Count = count, Bytes = bytes });
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route));
        foreach (var letter in "abcde")
        {
            peer.Send([(byte)letter]);
        }

        rig.Kit.Advance(1.1 * Second);
        Assert.Equal([window], rig.Windows);
        rig.Finish();
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 500)]
    [InlineData(true, 0)]
    [InlineData(true, 500)]
    public void What_is_open_when_the_router_stops_is_delivered(bool perListener, int every)
    {
        var per = perListener ? CollectScope.Listener : CollectScope.Session;
        using var rig = new CollectRig(CollectRig.Settings with { Per = per, EveryMs = every }, loops: 2);
        var listener = rig.Kit.BindUdp(rig.Route);
        for (var i = 0; i < 8; i++)
        {
            rig.Kit.UdpPeer($"192.0.2.7:{5000 + i}", listener).Send([(byte)('a' + i)]);
        }

        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Windows);
        rig.Finish();

        Assert.Equal("abcdefgh".Select(c => $"{c}"), rig.Windows.SelectMany(w => w.Split(' ')[1..]).Order());
        Assert.Equal(per == CollectScope.Session ? 8 : 1, rig.Windows.Count);
    }

    [Fact]
    public void A_session_that_ends_delivers_its_window_and_a_stream_is_gathered_read_by_read()
    {
        using var rig = new CollectRig(CollectRig.Settings);
        var peer = rig.Kit.TcpPeer("192.0.2.7:5000", rig.Kit.BindTcp(rig.Route));
        peer.Send("one"u8);
        rig.Kit.RunUntilIdle();
        peer.Send("two"u8);
        peer.Finish();
        rig.Kit.RunUntilIdle();

        Assert.Equal(["1: one two"], rig.Windows);
        rig.Finish();
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 1_000)]
    public void A_late_sink_costs_no_more_than_the_buffer_and_what_does_not_fit_is_counted(
        bool perListener, int every)
    {
        var settings = CollectRig.Settings with
        {
            Per = perListener ? CollectScope.Listener : CollectScope.Session,
            EveryMs = every,
            Count = every > 0 ? 0 : 10,
            Buffer = 64 << 10,
        };
        using var rig = new CollectRig(settings, isSinkLate: true);
        var listener = rig.Kit.BindUdp(rig.Route);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", listener);
        const int Sent = 400;
        for (var i = 0; i < Sent; i++)
        {
            peer.Send(new byte[1_000]);
            if (i % 50 == 49)
            {
                rig.Kit.Advance(0.1 * Second);
            }
        }

        rig.Kit.RunUntilIdle();
        var dropped = listener.Drops(DropReason.CollectFull);
        Assert.InRange(dropped, 1, Sent - 20);
        Assert.InRange(rig.Route.Budget.Used, 1, settings.Buffer);

        rig.Catch();
        if (every > 0)
        {
            rig.Kit.Advance(5 * Second);   // a whole window finds no room, and the next one does
            rig.Catch();
            dropped = listener.Drops(DropReason.CollectFull);
        }

        peer.Send("again"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(dropped, listener.Drops(DropReason.CollectFull));   // there is room again
        rig.Finish();
        Assert.Contains(rig.Windows, static window => window.EndsWith("again", StringComparison.Ordinal));
        if (every == 0)
        {
            Assert.Equal(Sent + 1 - dropped, rig.Windows.Sum(static window => window.Split(' ').Length - 1));
        }
    }

    [Fact]
    public void What_does_not_fit_after_a_listener_has_moved_counts_where_it_is_now()
    {
        using var rig = new CollectRig(
            CollectRig.Settings with { Per = CollectScope.Listener, Buffer = 64 << 10 }, isSinkLate: true);
        var before = rig.Kit.BindUdp(static () => new ScriptHandler());
        var now = rig.Kit.BindUdp(static () => new ScriptHandler());
        var (old, moved) = (rig.Kit.UdpPeer("192.0.2.7:5000", before), rig.Kit.UdpPeer("192.0.2.7:5001", now));
        old.Send("x"u8);
        moved.Send("x"u8);
        rig.Kit.RunUntilIdle();
        var windows = new ListenerWindows(rig.Route, rig.Kit.SessionOf(old.EndPoint).Shard);
        var session = rig.Kit.SessionOf(moved.EndPoint);

        var handler = windows.HandlerOn(session);
        for (var i = 0; i < 100; i++)
        {
            handler.OnReceived(session, new PayloadBatch(new byte[1_000]));
        }

        Assert.InRange(now.Drops(DropReason.CollectFull), 1, 99);
        Assert.Equal(0, before.Drops(DropReason.CollectFull));
    }

    [Fact]
    public void Windows_without_a_time_limit_that_fill_the_buffer_together_end_early()
    {
        const int Peers = 8;
        const int Each = 100;
        using var rig = new CollectRig(CollectRig.Settings with { WindowMs = 0, Buffer = 64 << 10 });
        var listener = rig.Kit.BindUdp(rig.Route);
        var peers = Enumerable.Range(0, Peers).Select(i => rig.Kit.UdpPeer($"192.0.2.7:{5000 + i}", listener)).ToList();
        for (var i = 0; i < Each; i++)
        {
            peers.ForEach(static peer => peer.Send(new byte[1_000]));
            rig.Kit.RunUntilIdle();
        }

        Assert.InRange(listener.Drops(DropReason.CollectFull), 0, Peers * Each / 10);
        rig.Finish();
        Assert.NotEmpty(rig.Windows);
    }

    [Fact]
    public void Two_seconds_over_a_thousand_clients_arm_one_timer_each_only_while_there_is_something()
    {
        using var rig = new CollectRig(CollectRig.Settings);
        var listener = rig.Kit.BindUdp(rig.Route);
        for (var i = 0; i < 1_000; i++)
        {
            rig.Kit.UdpPeer($"192.0.2.7:{5000 + i}", listener).Send("x"u8);
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(1_000, rig.Kit.Loops[0].ArmedTimers);
        rig.Kit.Advance(2.1 * Second);
        Assert.Equal(1_000, rig.Windows.Count);
        Assert.Equal(0, rig.Kit.Loops[0].ArmedTimers);
        Assert.Equal(0, rig.Route.Budget.Used);
        rig.Finish();
    }
}

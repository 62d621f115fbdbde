using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.TestKit;
using Router.TestKit.Simulation;
using Router.Tests.Sessions;

namespace Router.Tests.Listeners;

/// <summary>What is known of a listening socket's queue: its length, its limit, and what did not fit.</summary>
public sealed class AcceptQueueTests
{
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    [Fact]
    public void A_queue_that_overflows_is_told_of_once_a_second_with_the_attempts_dropped_since()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { Backlog = 4 });

        Connect(8);
        kit.RunUntilIdle();
        Connect(7);
        kit.RunUntilIdle();
        Assert.Equal(["accept-overflow queue=5 backlog=4 count=3"], Overflows());

        kit.Advance(TimeSpan.FromSeconds(1));
        kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(
            ["accept-overflow queue=5 backlog=4 count=3", "accept-overflow queue=0 backlog=4 count=2"], Overflows());
        Assert.Equal(5, listener.Drops(DropReason.AcceptQueueFull));
        Assert.Equal(0, listener.Shards[0].Counters.AcceptQueue);
        Assert.Equal(4, listener.Shards[0].Counters.AcceptBacklog);
        Assert.Equal(10, listener.Sessions);

        void Connect(int count)
        {
            for (var i = 0; i < count; i++)
            {
                kit.TcpPeer($"192.0.2.7:{5000 + listener.Sessions + i}", to: listener);
            }
        }

        List<string> Overflows() =>
            [.. from record in kit.ListenerEvents
                where record.Contains("accept-overflow", StringComparison.Ordinal)
                select record[(record.IndexOf(' ', StringComparison.Ordinal) + 1)..]];
    }

    [Fact]
    public void Attempts_that_clients_reset_are_no_overflow()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { Backlog = 4 });
        var socket = (SimulatedStreamListener)((TcpShard)listener.Shards[0]).Socket;
        for (var attempt = 0; attempt < 50; attempt++)
        {
            socket.DropAttempt();
        }

        kit.TcpPeer("192.0.2.7:5000", to: listener);
        kit.RunUntilIdle();
        Assert.Equal(0, listener.AllDrops());

        socket.DropAttempt();   // beside those that did not fit
        for (var client = 0; client < 8; client++)
        {
            kit.TcpPeer($"192.0.2.7:{5001 + client}", to: listener);
        }

        kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, listener.Drops(DropReason.AcceptQueueFull));
        Assert.Contains("accept-overflow queue=0 backlog=4 count=3", Assert.Single(kit.ListenerEvents));
    }

    [Fact]
    public void An_idle_listener_is_not_looked_at()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { IdleTimeout = OneDay });
        kit.TcpPeer("192.0.2.7:5000", to: listener);
        kit.RunUntilIdle();
        var armed = listener.Shards[0].Loop.ArmedTimers;

        kit.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(armed - 1, listener.Shards[0].Loop.ArmedTimers);
    }

    [Fact]
    public void A_figure_of_the_namespace_is_found_by_its_name()
    {
        string[] lines = ["TcpExt: A ListenOverflows C", "TcpExt: 1 22 3", "IpExt: ListenOverflows", "IpExt: 9"];

        Assert.Equal(22, NetworkStatistics.Find(lines, "TcpExt", "ListenOverflows"));
        Assert.Equal(-1, NetworkStatistics.Find(lines, "TcpExt", "D"));
        Assert.Equal(-1, NetworkStatistics.Find(lines, "Tcp", "A"));
        Assert.Equal(-1, NetworkStatistics.Find(["TcpExt: A B", "TcpExt: 1"], "TcpExt", "B"));
    }
}

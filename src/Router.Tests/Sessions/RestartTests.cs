using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A handler that throws costs its own session a handler, and nobody else anything.</summary>
public sealed class RestartTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_that_throws_is_replaced_and_the_session_stays_the_same(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var handlers = new List<ScriptHandler>();
        var seen = new List<(ScriptHandler Handler, string Text)>();
        ScriptHandler Create()
        {
            ScriptHandler? made = null;
            made = new ScriptHandler
            {
                Received = (session, text) =>
                {
                    seen.Add((made!, text));
                    session.Reply(
                        text == "boom" ? throw new InvalidOperationException("boom") : $"{session.Restarts}{text}");
                },
                Message = (session, message) => seen.Add((made!, $"{message}")),
            };
            handlers.Add(made);
            return made;
        }

        var listener = kit.BindUdp(Create, limits: kit.Limits with { OnPool = onPool });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var session = kit.SessionOf(peer.EndPoint);
        var (id, self) = (session.Id, session.Self);
        peer.Send("boom"u8);
        session.Self.Tell("queued 1");
        session.Self.Tell("queued 2");
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(2, handlers.Count);
        static bool IsQueued((ScriptHandler Handler, string Text) item) =>
            item.Text.StartsWith("queued", StringComparison.Ordinal);
        var first = seen.Where(item => item.Handler == handlers[0] && !IsQueued(item));
        Assert.Equal(["a", "boom"], first.Select(item => item.Text));
        Assert.Equal(["queued 1", "queued 2"], seen.Where(IsQueued).Select(item => item.Text));
        Assert.Equal((handlers[1], "b"), seen[^1]);
        Assert.Equal(["0a", "1b"], peer.ReceivedText);
        Assert.Same(session, kit.SessionOf(peer.EndPoint));
        Assert.Equal((id, self, 1), (session.Id, session.Self, session.Restarts));
        Assert.Equal(1, listener.Drops(DropReason.HandlerFailed));
        var reason = Root(Assert.Single(kit.RestartRecords).Reason);
        Assert.Equal("boom", Assert.IsType<InvalidOperationException>(reason).Message);
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Beyond_its_budget_the_session_closes_as_failed_and_the_peer_may_come_again(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, text) =>
                    session.Reply(text == "boom" ? throw new InvalidOperationException() : text),
            },
            limits: kit.Limits with { MaxRestarts = 2, OnPool = onPool });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        var sibling = kit.UdpPeer("192.0.2.8:5000", listener);
        for (var i = 0; i < 3; i++)
        {
            Assert.Empty(kit.ClosedSessions);
            peer.Send("boom"u8);
            sibling.Send("x"u8);
            kit.RunUntilIdle();
        }

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(2, Assert.Single(kit.ClosedSessions).Restarts);
        peer.Send("well"u8);
        kit.RunUntilIdle();
        Assert.Equal(["well"], peer.ReceivedText);
        Assert.Equal(3, sibling.Received.Count);
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Payloads_behind_the_one_a_handler_failed_on_come_again_to_the_fresh_handler(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, text) =>
                {
                    if (text == "boom")
                    {
                        throw new InvalidOperationException(text);
                    }

                    session.Reply(System.Text.Encoding.UTF8.GetBytes(text));
                },
            },
            limits: kit.Limits with { OnPool = onPool });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        foreach (var text in new[] { "a", "boom", "b", "boom", "c" })
        {
            peer.Send(System.Text.Encoding.UTF8.GetBytes(text));
        }

        kit.RunUntilIdle();
        Assert.Equal(["a", "b", "c"], peer.ReceivedText);
        Assert.Equal(2, listener.Drops(DropReason.HandlerFailed));
        Assert.Equal(2, listener.AllDrops());
        Assert.Equal(2, kit.SessionOf(peer.EndPoint).Restarts);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void The_budget_counts_within_its_window()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler { Received = (_, _) => throw new InvalidOperationException() },
            limits: kit.Limits with { MaxRestarts = 2, RestartWindow = TimeSpan.FromSeconds(10) });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 10; i++)
        {
            peer.Send("boom"u8);
            kit.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Empty(kit.ClosedSessions);
        Assert.Equal(10, kit.SessionOf(peer.EndPoint).Restarts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_that_fails_when_it_is_opened_or_made_ends_as_failed(bool inConstructor)
    {
        using var kit = new RouterTestKit(seed: 1);
        var made = 0;
        var listener = kit.BindUdp(
            () =>
            {
                made++;
                return inConstructor
                    ? throw new InvalidOperationException("made")
                    : new ScriptHandler { Opened = _ => throw new InvalidOperationException("opened") };
            },
            limits: kit.Limits with { MaxRestarts = 3 });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        var sent = 0;
        while (kit.ClosedSessions.Count == 0 && sent < 10)
        {
            sent++;
            peer.Send("x"u8);
            kit.RunUntilIdle();
        }

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.InRange(made, 1, 4);
        Assert.Equal(0, listener.Sessions);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void Two_sessions_under_load_lose_nothing_while_a_third_crashes_a_thousand_times()
    {
        using var kit = new RouterTestKit(seed: 1);
        const int Crashes = 1_000;
        var limits = kit.Limits with { MaxRestarts = Crashes };
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, text) =>
                    session.Reply(text == "boom" ? throw new InvalidOperationException() : text),
            },
            limits: limits);
        var good = new[] { kit.UdpPeer("192.0.2.7:5000", listener), kit.UdpPeer("192.0.2.8:5000", listener) };
        var bad = kit.UdpPeer("192.0.2.9:5000", listener);
        for (var i = 0; i < Crashes; i++)
        {
            bad.Send("boom"u8);
            for (var j = 0; j < 3; j++)
            {
                good[0].Send(System.Text.Encoding.ASCII.GetBytes($"{i}.{j}"));
                good[1].Send(System.Text.Encoding.ASCII.GetBytes($"{i}.{j}"));
            }

            kit.RunPass();   // one: restarts and load are under way together
            if (i % 10 == 0)
            {
                kit.Advance(TimeSpan.FromMilliseconds(20));
            }
        }

        kit.RunUntilIdle();
        var expected = Enumerable.Range(0, Crashes).SelectMany(i => Enumerable.Range(0, 3).Select(j => $"{i}.{j}"));
        Assert.Equal(expected, good[0].ReceivedText);
        Assert.Equal(expected, good[1].ReceivedText);
        Assert.Empty(kit.ClosedSessions);
        Assert.Equal(Crashes, kit.SessionOf(bad.EndPoint).Restarts);
        Assert.InRange(kit.RestartRecords.Count, 1, 4);   // at most one a second: 2 virtual seconds have passed
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Peers_that_each_crash_a_handler_are_told_of_once_a_second_and_all_are_counted(bool onPool)
    {
        const int Peers = 1_000;
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler { Received = (_, _) => throw new InvalidOperationException("boom") },
            limits: kit.Limits with { OnPool = onPool });
        for (var i = 0; i < Peers; i++)
        {
            kit.UdpPeer($"192.0.2.7:{10_000 + i}", listener).Send("boom"u8);
        }

        kit.RunUntilIdle();
        Assert.Single(kit.RestartRecords);
        Assert.Equal(Peers, listener.Restarts);

        kit.Advance(TimeSpan.FromSeconds(1.1));
        kit.UdpPeer("192.0.2.8:5000", listener).Send("boom"u8);
        kit.RunUntilIdle();
        Assert.Equal((2, Peers - 1), (kit.RestartRecords.Count, kit.RestartsSuppressed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_session_fails_by_beyond_its_restart_budget_is_told(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var crashes = 0;
        var listener = kit.BindUdp(
            () => new ScriptHandler { Received = (_, _) => throw new InvalidOperationException($"boom {++crashes}") },
            limits: kit.Limits with { OnPool = onPool, MaxRestarts = 2 });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 3; i++)
        {
            Assert.Empty(kit.FailureRecords);
            peer.Send("boom"u8);
            kit.RunUntilIdle();
        }

        var (session, reason, suppressed) = Assert.Single(kit.FailureRecords);
        var closed = Assert.Single(kit.ClosedSessions);
        Assert.Equal((CloseReason.Failed, session, 2), (closed.Reason, closed.Id, closed.Restarts));
        Assert.Equal(("boom 3", 0L), (reason.Message, suppressed));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void What_a_handler_fails_by_after_it_has_closed_its_session_is_told_too(bool onPool, bool isStream)
    {
        using var kit = new RouterTestKit(seed: 1);
        var limits = kit.Limits with { OnPool = onPool, MaxRestarts = 0 };
        if (isStream)
        {
            kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(CloseAndFail, limits: limits)).Send("x"u8);
        }
        else
        {
            kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(CloseAndFail, limits: limits)).Send("x"u8);
        }

        kit.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal("boom", Assert.Single(kit.FailureRecords).Reason.Message);
        Assert.Single(kit.ClosedSessions);

        static ScriptHandler CloseAndFail() => new()
        {
            Received = (session, _) =>
            {
                session.Close();
                throw new InvalidOperationException("boom");
            },
        };
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stream_sessions_that_fail_are_told_of_once_a_second_and_all_are_counted(bool onPool)
    {
        const int Peers = 100;
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(
            () => new ScriptHandler { Received = (_, _) => throw new InvalidOperationException("boom") },
            limits: kit.Limits with { OnPool = onPool });
        for (var i = 0; i < Peers; i++)
        {
            kit.TcpPeer($"192.0.2.7:{10_000 + i}", listener).Send("x"u8);
        }

        kit.RunUntilIdle();
        Assert.Equal(Peers, kit.ClosedSessions.Count);
        Assert.Equal("boom", Assert.Single(kit.FailureRecords).Reason.Message);

        kit.Advance(TimeSpan.FromSeconds(1.1));
        kit.TcpPeer("192.0.2.8:5000", listener).Send("x"u8);
        kit.RunUntilIdle();
        Assert.Equal(Peers - 1, kit.FailureRecords[^1].Suppressed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Handlers_that_fail_at_the_end_of_their_sessions_are_told_of_once_a_second_and_all_counted(bool onPool)
    {
        const int Peers = 1_000;
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler { Closed = (_, _) => throw new InvalidOperationException("boom") },
            limits: kit.Limits with { OnPool = onPool, IdleTimeout = TimeSpan.FromSeconds(2) });
        for (var i = 0; i < Peers; i++)
        {
            kit.UdpPeer($"192.0.2.7:{10_000 + i}", listener).Send("x"u8);
        }

        kit.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(Peers, kit.ClosedSessions.Count);
        Assert.Equal("boom", Assert.Single(kit.FailedEndRecords).Reason.Message);

        kit.UdpPeer("192.0.2.8:5000", listener).Send("x"u8);
        kit.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(Peers - 1, kit.FailedEndRecords[^1].Suppressed);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_stream_session_that_fails_closes_and_its_sibling_goes_on()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler
        {
            Received = (session, text) => session.Reply(text == "boom" ? throw new InvalidOperationException() : text),
        });
        var bad = kit.TcpPeer("192.0.2.7:5000", listener);
        var good = kit.TcpPeer("192.0.2.8:5000", listener);
        bad.Send("boom"u8);
        good.Send("fine"u8);
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(bad.EndPoint));
        Assert.Equal(0, listener.Restarts);
        Assert.True(bad.IsReset);
        Assert.Equal("fine", good.ReceivedText);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_restart_safe_stream_goes_on_with_a_fresh_handler()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler
        {
            RestartSafe = true,
            Received = (session, text) => session.Reply(text == "boom" ? throw new InvalidOperationException() : text),
        });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        foreach (var text in (string[])["a", "boom", "b"])
        {
            peer.Send(System.Text.Encoding.ASCII.GetBytes(text));
            kit.RunUntilIdle();
        }

        Assert.Equal("ab", peer.ReceivedText);
        Assert.Equal(1, kit.SessionOf(peer.EndPoint).Restarts);
        Assert.False(peer.IsReset);
    }

    [Fact]
    public void A_listener_that_fails_keeps_its_socket_and_its_sessions()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var id = kit.SessionOf(peer.EndPoint).Id;

        foreach (var shard in listener.Shards.Cast<Router.Listeners.UdpShard>())
        {
            shard.Actor.Tell(Kill.Instance);
        }

        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();
        Assert.Equal(["a", "b"], peer.ReceivedText);
        Assert.Equal(id, kit.SessionOf(peer.EndPoint).Id);
        Assert.Contains(kit.ListenerEvents, line => line.Contains("restarted", StringComparison.Ordinal));
        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
        kit.Stop();
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(SessionTransport.Udp)]
    [InlineData(SessionTransport.Tcp)]
    public void A_session_whose_actor_is_stopped_before_its_first_turn_ends_all_the_same(SessionTransport transport)
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Limits = kit.Limits with { OnPool = true };
        var isUdp = transport == SessionTransport.Udp;
        var listener = isUdp ? kit.BindUdp(() => new ScriptHandler()) : kit.BindTcp(() => new ScriptHandler());
        if (isUdp)
        {
            kit.UdpPeer("192.0.2.7:5000", listener).Send("x"u8);
        }
        else
        {
            kit.TcpPeer("192.0.2.7:5000", listener).Send("x"u8);
        }

        kit.Loops[0].RunOnce(block: false);   // the loop alone: the session is made, its actor on the pool has not run
        Assert.Equal(1, listener.Sessions);
        kit.Sys.Stop(ListenerOf(listener));
        kit.Loops[0].RunOnce(block: false);
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Shutdown, Assert.Single(kit.ClosedSessions).Reason);
        Assert.Equal(0, listener.Sessions);
        kit.Stop();
        kit.AssertNoLeakedBuffers();
    }

    private static IActorRef ListenerOf(KitListener listener) => listener.Shards.Single() switch
    {
        Router.Listeners.UdpShard udp => udp.Actor,
        Router.Listeners.TcpShard tcp => tcp.Actor,
        var shard => throw new InvalidOperationException($"{shard}"),
    };

    private static Exception Root(Exception failure) => failure.InnerException is { } inner ? Root(inner) : failure;
}

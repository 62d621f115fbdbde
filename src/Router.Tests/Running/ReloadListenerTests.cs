using Router.Configuration;
using Router.Diagnostics;
using Router.Listeners;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Running;

/// <summary>What a reload does to listeners and their sessions.</summary>
public sealed class ReloadListenerTests
{
    private const string A = "198.51.100.1:9000";
    private const string B = "198.51.100.1:9001";
    private const string Client = "192.0.2.1:5000";

    private const string One = """
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = e, idle-timeout = 10s }
          routes.e { type = echo }
        }
        """;

    private const string Two = """
        router {
          listeners {
            a { bind = ["udp://198.51.100.1:9000", "tcp://198.51.100.1:9000"], route = e }
            b { bind = ["udp://198.51.100.1:9001", "tcp://198.51.100.1:9001"], route = e }
          }
          routes.e { type = reply, text = one }
        }
        """;

    [Fact]
    public void What_did_not_change_keeps_its_socket_and_its_sessions()
    {
        using var rig = new ReloadRig(Two);
        var udp = rig.Peer(Client, A);
        var tcp = rig.Stream("192.0.2.2:5000", A);
        udp.Send("x"u8);
        tcp.Send("x"u8);
        rig.Kit.RunUntilIdle();
        var sockets = rig.Kit.Network.OpenSockets;
        var sessions = rig.Kit.OpenSessions.ToList();

        Assert.Empty(rig.Apply(Two).ChangedKeys);

        udp.Send("y"u8);
        tcp.Send("y"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(sockets, rig.Kit.Network.OpenSockets);
        Assert.Equal(sessions, rig.Kit.OpenSessions);
        Assert.Equal(["one", "one"], udp.ReceivedText);
        Assert.Equal("oneone", tcp.ReceivedText);
        Assert.Contains("revision=2", Assert.Single(rig.LinesOf("reloaded")));
    }

    [Theory]
    [InlineData("3s", 2, 2)]
    [InlineData("30s", 12, 19)]
    [InlineData("infinite", 1000, 0)]
    public void A_changed_idle_timeout_holds_for_live_sessions_at_once(string timeout, int lives, int ends)
    {
        using var rig = new ReloadRig(One);
        rig.Peer(Client, A).Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(
            ["router.listeners.a.idle-timeout"],
            rig.Apply(One.Replace("10s", timeout)).ChangedKeys);

        rig.Kit.Advance(TimeSpan.FromSeconds(lives));
        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(ends));
        Assert.Equal(ends > 0 ? 0 : 1, rig.Kit.OpenSessions.Count);
    }

    [Fact]
    public void A_lifetime_that_a_live_session_has_passed_ends_it()
    {
        using var rig = new ReloadRig(One);
        rig.Peer(Client, A).Send("x"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(5));

        rig.Apply(One.Replace("idle-timeout", "max-lifetime = 6s, idle-timeout"));

        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(CloseReason.Lifetime, Assert.Single(rig.Kit.ClosedSessions).Reason);
    }

    [Fact]
    public void An_idle_timeout_that_the_handler_chose_stays()
    {
        const string Text = """
            router {
              listeners.a { bind = "udp://198.51.100.1:9000", route = h, idle-timeout = 10s }
              routes.h { type = handler, name = own }
            }
            """;
        var rig = ReloadHandlers.Rig(Text, "own", () => new ScriptHandler
        {
            Opened = session => session.IdleTimeout = TimeSpan.FromSeconds(60),
        });
        using var _ = rig;
        rig.Peer(Client, A).Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text.Replace("10s", "1s"));

        rig.Kit.Advance(TimeSpan.FromSeconds(59));
        Assert.Single(rig.Kit.OpenSessions);
    }

    [Fact]
    public void Max_sessions_lowered_below_what_there_is_keeps_it_and_lets_nobody_in()
    {
        using var rig = new ReloadRig(One);
        var peers = Enumerable.Range(0, 4).Select(i => rig.Peer($"192.0.2.1:{5000 + i}", A)).ToList();
        peers.Take(3).ToList().ForEach(peer => peer.Send("x"u8));
        rig.Kit.RunUntilIdle();

        rig.Apply(One.Replace("idle-timeout", "max-sessions = 1, idle-timeout"));
        peers.ForEach(peer => peer.Send("y"u8));
        rig.Kit.RunUntilIdle();

        Assert.Equal(3, rig.Kit.OpenSessions.Count);
        Assert.All(peers.Take(3), peer => Assert.Equal(["x", "y"], peer.ReceivedText));
        Assert.Empty(peers[3].ReceivedText);
        Assert.Equal(1, rig.FiguresOf("a").Drops[DropReason.MaxSessions]);

        rig.Apply(One.Replace("idle-timeout", "max-sessions = 4, idle-timeout"));
        peers[3].Send("z"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["z"], peers[3].ReceivedText);
    }

    [Fact]
    public void A_changed_route_is_for_new_sessions_and_the_access_record_says_which_one_it_was()
    {
        using var rig = new ReloadRig(One);
        var old = rig.Peer(Client, A);
        old.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(One.Replace("route = e", "route = r").Replace("routes.e {", "routes.r {").Replace(
            "type = echo", "type = reply, text = new"));
        var young = rig.Peer("192.0.2.2:5000", A);
        old.Send("y"u8);
        young.Send("y"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["x", "y"], old.ReceivedText);
        Assert.Equal(["new"], young.ReceivedText);
        Assert.Equal("e", rig.Kit.SessionOf(old.EndPoint).RouteName);
        Assert.Equal("r", rig.Kit.SessionOf(young.EndPoint).RouteName);
    }

    [Fact]
    public void A_removed_listener_takes_nobody_new_and_ends_its_sessions_when_nothing_is_under_way()
    {
        using var rig = new ReloadRig(Two);
        var udp = rig.Peer(Client, B);
        udp.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Without(Two, "b"));

        Assert.Equal(CloseReason.ListenerRemoved, rig.Kit.ExpectSessionClosed(udp.EndPoint));
        rig.Kit.Advance(TimeSpan.FromMilliseconds(60));
        var late = rig.Peer("192.0.2.3:5000", B);
        late.Send("late"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(1, late.Refusals);   // the socket is closed
        Assert.True(rig.Stream("192.0.2.3:5001", B).IsRefused);
        Assert.Equal(2, rig.LinesOf("listener-removed").Count);
        Assert.Equal(2, rig.Running.Listeners.Binds.Count);
    }

    [Fact]
    public void A_removed_listeners_sessions_that_have_something_under_way_are_given_the_drain_timeout()
    {
        using var rig = new ReloadRig(Two);
        var tcp = rig.Stream(Client, B);
        rig.Apply(Without(Two, "b"));
        for (var i = 0; i < 9; i++)
        {
            tcp.Send("x"u8);
            rig.Kit.Advance(TimeSpan.FromSeconds(1.1));   // never quiet for two seconds
        }

        Assert.Equal(9 * "one".Length, tcp.ReceivedText.Length);
        rig.Kit.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(CloseReason.ListenerRemoved, rig.Kit.ExpectSessionClosed(tcp.EndPoint));
        Assert.True(tcp.IsReset);
        Assert.Contains(
            rig.LinesOf("listener-removed"),
            line => line.Contains("address=tcp://198.51.100.1:9001 finished=0 closed=1", StringComparison.Ordinal));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void An_added_listener_starts_and_an_address_that_stays_stays()
    {
        using var rig = new ReloadRig(Without(Two, "b"));
        var old = rig.Peer(Client, A);
        old.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Two);
        var young = rig.Peer("192.0.2.2:5000", B);
        var stream = rig.Stream("192.0.2.2:5000", B);
        young.Send("x"u8);
        stream.Send("x"u8);
        old.Send("y"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["one", "one"], old.ReceivedText);
        Assert.Equal(["one"], young.ReceivedText);
        Assert.Equal("one", stream.ReceivedText);
        Assert.Equal(3, rig.Kit.OpenSessions.Count);
        Assert.Equal(4, rig.LinesOf("listening").Count);
        Assert.Contains("listeners-added=b ", Assert.Single(rig.LinesOf("reloaded")));
    }

    [Fact]
    public void A_changed_bind_drains_the_old_address_and_serves_the_new_one()
    {
        using var rig = new ReloadRig(One, loops: 2);
        var old = rig.Peer(Client, A);
        old.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(One.Replace("9000", "9001"));
        rig.Kit.Advance(TimeSpan.FromMilliseconds(60));
        var young = rig.Peer("192.0.2.2:5000", B);
        young.Send("y"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(CloseReason.ListenerRemoved, rig.Kit.ExpectSessionClosed(old.EndPoint));
        Assert.Equal(["y"], young.ReceivedText);
        Assert.Equal(B, Assert.Single(rig.Running.Listeners.Bound).Address.ToString());
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void An_address_keeps_its_socket_and_its_sessions_when_another_listener_has_it_now()
    {
        using var rig = new ReloadRig(One);
        var peer = rig.Peer(Client, A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(One.Replace("listeners.a", "listeners.renamed").Replace("idle", "max-sessions = 1, idle"));
        peer.Send("y"u8);
        rig.Peer("192.0.2.2:5000", A).Send("one too many"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["x", "y"], peer.ReceivedText);
        Assert.Equal("renamed", rig.Kit.SessionOf(peer.EndPoint).Listener);
        Assert.Equal((1, 1), (rig.FiguresOf("a").Opened, rig.FiguresOf("a").PayloadsIn));
        Assert.Equal((0, 1), (rig.FiguresOf("renamed").Opened, rig.FiguresOf("renamed").PayloadsIn));
        Assert.Equal(1, rig.FiguresOf("renamed").Drops[DropReason.MaxSessions]);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_datagram_listener_that_comes_back_while_it_drains_goes_on_with_its_sessions()
    {
        const string Text = """
            router {
              listeners {
                a { bind = "udp://198.51.100.1:9000", route = h }
                b { bind = "udp://198.51.100.1:9001", route = h }
              }
              routes.h { type = handler, name = busy }
            }
            """;
        using var rig = ReloadHandlers.Rig(Text, "busy", () => new ScriptHandler { Bytes = (s, b) => s.Reply(b) });
        var peer = rig.Peer(Client, B);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text.Replace("b { bind = \"udp://198.51.100.1:9001\", route = h }", ""));
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(rig.Kit.OpenSessions);
        rig.Apply(Text);
        var young = rig.Peer("192.0.2.2:5000", B);
        young.Send("young"u8);
        peer.Send("y"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(["x", "y"], peer.ReceivedText);
        Assert.Equal(["young"], young.ReceivedText);
        Assert.Equal(2, rig.Kit.OpenSessions.Count);
        Assert.Empty(rig.LinesOf("listener-removed"));
    }

    [Fact]
    public void A_stream_listener_that_comes_back_while_it_drains_is_bound_anew_and_old_sessions_finish()
    {
        using var rig = new ReloadRig(Two);
        var old = rig.Stream(Client, B);
        old.Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Without(Two, "b"));
        rig.Apply(Two);
        var young = rig.Stream("192.0.2.2:5000", B);
        young.Send("x"u8);
        old.Send("y"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(("oneone", "one"), (old.ReceivedText, young.ReceivedText));

        rig.Kit.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(CloseReason.ListenerRemoved, rig.Kit.ExpectSessionClosed(old.EndPoint));
        Assert.False(young.IsReset);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void An_address_that_is_just_being_given_up_is_waited_for()
    {
        using var rig = new ReloadRig(Two);
        var first = rig.Ask(Without(Two, "b"));
        rig.Kit.RunPass();
        var second = rig.Ask(Two);   // the loop has not closed the socket yet
        rig.Kit.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(ReloadRig.ResultOf(first).Faults);
        Assert.Empty(ReloadRig.ResultOf(second).Faults);
        Assert.False(rig.Stream(Client, B).IsRefused);
    }

    [Fact]
    public void What_was_counted_stays_counted_when_its_listener_goes()
    {
        using var rig = new ReloadRig(Two);
        rig.Peer(Client, B).Send("x"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Without(Two, "b"));
        rig.Kit.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal((1, 1), (rig.FiguresOf("b").PayloadsIn, rig.FiguresOf("b").Closed));
        rig.Kit.Advance(TimeSpan.FromSeconds(2));   // a stats line
        Assert.Contains("opened=1 closed=1", Assert.Single(rig.LinesOf("stats")));
        Assert.DoesNotContain(rig.Running.Listeners.Stats.Read(), figures => figures.Listener == "b");
        rig.Kit.Advance(TimeSpan.FromSeconds(60));
        Assert.Contains("opened=0 closed=0", rig.LinesOf("stats")[1]);
    }

    [Fact]
    public void A_listener_that_comes_back_counts_from_nothing()
    {
        using var rig = new ReloadRig(Two);
        var peer = rig.Peer(Client, B);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        rig.Apply(Without(Two, "b"));
        rig.Kit.Advance(TimeSpan.FromSeconds(61));
        Assert.Contains("opened=1 closed=1", Assert.Single(rig.LinesOf("stats")));

        rig.Apply(Two);
        peer.Send("y"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(60));
        Assert.Contains("opened=1 closed=0", rig.LinesOf("stats")[1]);
    }

    [Fact]
    public void The_interval_of_the_stats_line_follows_at_once()
    {
        using var rig = new ReloadRig(One);
        rig.Apply(One + "\nrouter.log.stats-interval = 1s");
        rig.Kit.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal(3, rig.LinesOf("stats").Count);
    }

    [Fact]
    public void Keys_that_nothing_follows_before_the_next_start_are_named_with_their_place()
    {
        using var rig = new ReloadRig(One);
        var result = rig.Apply(One.Replace("idle-timeout", "backlog = 7, idle-timeout") + "\nrouter.network = linux");

        Assert.Equal(["router.network", "router.listeners.a.backlog"], result.NeedRestart);
        Assert.Equal(2, rig.LinesOf("reload-needs-restart").Count);
        Assert.Contains("key=router.network place=\"(text):", rig.LinesOf("reload-needs-restart")[0]
            .Replace("place=(", "place=\"(", StringComparison.Ordinal));
    }

    [Fact]
    public void Sessions_use_the_listeners_socket_as_long_as_it_is_bound_for_that()
    {
        using var rig = new ReloadRig(One);
        var result = rig.Apply(One.Replace("idle-timeout", "session-socket = own-port, idle-timeout"));

        Assert.Equal(["router.listeners.a.session-socket"], result.NeedRestart);
        var shard = (UdpShard)rig.Running.Listeners.Binds[0].Shards[0];
        shard.Actor.Tell(Kill.Instance);   // a fresh actor finds it so, too
        rig.Kit.RunUntilIdle();
        var peer = rig.Peer(Client, A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(A, $"{Assert.Single(peer.Received).From}");
    }

    private static string Without(string text, string listener) =>
        string.Join(
            '\n',
            text.Split('\n').Where(line => !line.TrimStart().StartsWith(listener + " {", StringComparison.Ordinal)));
}

/// <summary>Rigs whose routes name a handler.</summary>
internal static class ReloadHandlers
{
    public static ReloadRig Rig(string text, string name, Func<SessionHandler> create, RouterTestKit? kit = null) =>
        new(text, kit, parts: new ProgramParts().Add(name, create));
}

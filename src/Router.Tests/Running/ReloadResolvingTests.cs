using Router.TestKit;
using Router.Tests.Upstreams;

namespace Router.Tests.Running;

/// <summary>A configuration whose upstreams have names: they are resolved first, then it serves.</summary>
public sealed class ReloadResolvingTests
{
    private const string Proxy = "198.51.100.1:9000";
    private const string One = "10.0.0.1:53";
    private const string Two = "10.0.0.2:53";
    private const string Client = "192.0.2.1:5000";

    [Theory]
    [InlineData("finish")]
    [InlineData("re-pick")]
    public void The_old_upstreams_serve_until_a_new_name_has_resolved(string removal)
    {
        using var rig = new ReloadRig(Text(One, removal));
        var (one, two) = (rig.Echo(One), rig.Echo(Two));
        var old = rig.Peer(Client, Proxy);
        old.Send("a"u8);
        rig.Kit.RunUntilIdle();
        rig.Resolver.Hold("new.test");

        rig.Apply(Text("new.test:53", removal));
        rig.Peer("192.0.2.2:5000", Proxy).Send("b"u8);
        rig.Kit.RunUntilIdle();
        old.Send("c"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["a", "b", "c"], Texts(one));

        rig.Resolver.Answer("new.test", "10.0.0.2");
        rig.Kit.RunUntilIdle();
        rig.Peer("192.0.2.3:5000", Proxy).Send("d"u8);
        rig.Kit.RunUntilIdle();
        old.Send("e"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(removal == "finish" ? ["d"] : ["d", "e"], Texts(two));
        Assert.All(rig.Kit.OpenSessions, static session => Assert.Equal(0, session.Drops));
    }

    [Fact]
    public void A_name_keeps_its_addresses_at_another_port()
    {
        var resolver = new ScriptedResolver { Names = { ["a.test"] = ["10.0.0.1"] } };
        using var rig = new ReloadRig(Text("a.test:52"), resolver: resolver);
        var one = rig.Echo(One);
        resolver.Hold("a.test");

        rig.Apply(Text("a.test:53"));
        rig.Peer(Client, Proxy).Send("a"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["a"], Texts(one));
    }

    [Fact]
    public void A_new_route_serves_once_its_name_has_resolved_and_the_old_one_until_then()
    {
        const string Listener = """router.listeners.l { bind = "udp://198.51.100.1:9000", route = r }""" + "\n";
        using var rig = new ReloadRig(Listener + "router.routes.r { type = echo }");
        var two = rig.Echo(Two);
        rig.Resolver.Hold("new.test");

        var reload = rig.Ask(Listener + """router.routes.r { type = proxy, upstreams = ["new.test:53"] }""");
        var peer = rig.Peer(Client, Proxy);
        rig.Kit.RunUntilIdle();
        peer.Send("a"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal((false, "a"), (reload.IsCompleted, Assert.Single(peer.ReceivedText)));

        rig.Resolver.Answer("new.test", "10.0.0.2");
        rig.Kit.RunUntilIdle();
        Assert.Empty(ReloadRig.ResultOf(reload).Faults);
        rig.Peer("192.0.2.2:5000", Proxy).Send("b"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["b"], Texts(two));
    }

    [Fact]
    public void What_arrives_before_a_name_has_resolved_waits_at_the_start_for_5_s_at_most()
    {
        var resolver = new ScriptedResolver();
        resolver.Hold("late.test");
        using var rig = new ReloadRig(Text("late.test:53"), resolver: resolver);
        var one = rig.Echo(One);
        var peer = rig.Peer(Client, Proxy);
        peer.Send("a"u8);
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Kit.OpenSessions);

        resolver.Answer("late.test", "10.0.0.1");
        rig.Kit.RunUntilIdle();
        Assert.Equal(["a"], Texts(one));
        Assert.Equal(["a"], peer.ReceivedText);
    }

    [Fact]
    public void A_name_that_does_not_resolve_holds_nothing_up_for_longer()
    {
        var resolver = new ScriptedResolver();
        resolver.Silent.Add("silent.test");
        using var rig = new ReloadRig(Text("silent.test:53"), resolver: resolver);
        rig.Peer(Client, Proxy).Send("a"u8);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(4_900));
        Assert.Equal(0, rig.Kit.SessionsOpened);

        rig.Kit.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(1, rig.Kit.SessionsOpened);
    }

    private static IEnumerable<string> Texts(UdpPeer peer) => peer.ReceivedText;

    private static string Text(string upstream, string removal = "finish") => $$"""
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = p }
          routes.p { type = proxy, upstreams = ["{{upstream}}"], on-upstream-removed = {{removal}} }
        }
        """;
}

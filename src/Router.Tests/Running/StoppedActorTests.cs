using Router.Diagnostics;
using Router.Listeners;
using Router.Sessions;

namespace Router.Tests.Running;

/// <summary>Actors of the router that something else stops: nothing of it is silent.</summary>
public sealed class StoppedActorTests
{
    private const string A = "198.51.100.1:9000";
    private const string Client = "192.0.2.1:5000";

    private const string Echo = """
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = e }
          listeners.b { bind = "tcp://198.51.100.1:9001", route = e }
          routes.e { type = echo }
        }
        """;

    [Theory]
    [InlineData("listeners/a", false)]
    [InlineData("listeners/a", true)]
    [InlineData("listeners/a/*", true)]
    public void A_stopped_listener_is_told_of_and_bound_again_by_a_reload(string actor, bool byPill)
    {
        using var rig = new ReloadRig(Echo, loops: 2);
        var peer = rig.Peer(Client, A);
        peer.Send("a"u8);
        rig.Kit.RunUntilIdle();

        Stop(rig, actor, byPill);

        Assert.Equal(CloseReason.Shutdown, rig.Kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Contains("listener=a", Assert.Single(rig.LinesOf("listener-stopped")));
        Assert.DoesNotContain(rig.Running.Listeners.Binds, static bind => bind.Listener == "a");
        Assert.Empty(rig.LinesOf("listener-removed"));

        Assert.Empty(rig.Apply(Echo).ChangedKeys);
        peer.Send("b"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["a", "b"], peer.ReceivedText);
        Assert.Empty(rig.LinesOf("actor-stopped"));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void What_the_tree_tells_an_actor_that_is_gone_is_no_dead_letter()
    {
        using var rig = new ReloadRig(Echo);
        var lost = new List<object>();
        rig.Kit.Sys.ActorOf(Props.Create<DeadLetterList>(lost));
        var shard = (UdpShard)rig.Running.Listeners.Binds.Single(
            static bind => bind.Listener == "a").Shards[0];
        rig.Kit.Sys.Stop(shard.Actor);
        rig.Kit.RunUntilIdle();

        shard.Actor.Tell(new StopShards(new HashSet<Shard>()));
        shard.Actor.Tell(new DrainRemoved(new HashSet<Shard>()));
        shard.Actor.Tell(new DrainListener());
        shard.Actor.Tell("lost");
        rig.Kit.RunUntilIdle();

        Assert.Equal(["lost"], lost);
    }

    [Fact]
    public void One_stopped_loop_of_a_listener_takes_the_others_with_it()
    {
        using var rig = new ReloadRig(Echo, loops: 2);
        var shard = rig.Running.Listeners.Binds.Single(static bind => bind.Listener == "a").Shards[0];

        rig.Kit.Sys.Stop(((UdpShard)shard).Actor);
        rig.Kit.RunUntilIdle();

        Assert.DoesNotContain(rig.Running.Listeners.Binds, static bind => bind.Listener == "a");
        Assert.Single(rig.LinesOf("listener-stopped"));
        rig.Apply(Echo);
        Assert.Equal(2, rig.Running.Listeners.Binds.Single(static bind => bind.Listener == "a").Shards.Count);
    }

    [Fact]
    public void A_stopped_upstream_group_and_a_stopped_stats_actor_are_started_again()
    {
        using var rig = new ReloadRig(Proxy("one.example:53"));
        rig.Resolver.Names["one.example"] = ["10.0.0.1"];
        rig.Resolver.Names["two.example"] = ["10.0.0.2"];
        rig.Kit.Advance(TimeSpan.FromSeconds(10));

        Stop(rig, "upstreams/*", byPill: true);
        Stop(rig, "stats", byPill: false);

        Assert.Equal(2, rig.LinesOf("actor-stopped").Count);
        rig.Apply(Proxy("two.example:53"));
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        rig.Echo("10.0.0.2:53");
        var peer = rig.Peer(Client, A);
        peer.Send("a"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["a"], peer.ReceivedText);
        rig.Kit.Advance(TimeSpan.FromMinutes(2));
        Assert.NotEmpty(rig.LinesOf("stats"));
    }

    [Fact]
    public void A_group_that_a_reload_takes_away_is_not_started_again()
    {
        using var rig = new ReloadRig(Proxy("10.0.0.1:53"));

        rig.Apply(Echo);
        rig.Kit.Advance(TimeSpan.FromMinutes(1));

        Assert.Empty(rig.LinesOf("actor-stopped"));
    }

    [Theory]
    [InlineData("listeners")]
    [InlineData("upstreams")]
    public void Without_one_of_its_branches_the_router_stops_and_says_so(string actor)
    {
        using var rig = new ReloadRig(Echo);
        rig.Peer(Client, A).Send("a"u8);
        rig.Kit.RunUntilIdle();

        Stop(rig, actor, byPill: false);

        Assert.Contains($"/user/router/{actor}", Assert.Single(rig.LinesOf("actor-stopped")));
        Assert.Empty(rig.Kit.OpenSessions);
        Assert.Equal("the router is not running", Assert.Single(ReloadRig.ResultOf(rig.Ask(Echo)).Faults));
        rig.AssertNothingLeftAfterStop();
    }

    private static void Stop(ReloadRig rig, string actor, bool byPill)
    {
        var found = rig.Kit.Sys.ActorSelection($"/user/router/{actor}");
        if (byPill)
        {
            found.Tell(PoisonPill.Instance, ActorRefs.NoSender);
        }
        else
        {
            var reference = found.ResolveOne(TimeSpan.FromSeconds(1));
            rig.Kit.RunUntilIdle();
            rig.Kit.Sys.Stop(reference.Result);
        }

        rig.Kit.RunUntilIdle();
    }

    private static string Proxy(string upstream) => $$"""
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = p }
          routes.p { type = proxy, upstreams = ["{{upstream}}"], resolve-interval = 5s }
        }
        """;

    private sealed class DeadLetterList(List<object> lost) : UntypedActor
    {
        protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));

        protected override void OnReceive(object message) => lost.Add(((DeadLetter)message).Message);
    }
}

using Router.Cluster.Members;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>What becomes of members that are out of their cluster, or have one of their own.</summary>
public sealed class SecondClusterTests
{
    private const string Listener = "max-sessions = 5, identity { first-line = \"^(\\\\w+)\" }";

    [Fact]
    public async Task Of_two_members_that_have_each_begun_a_cluster_one_ends_once_they_hear_of_each_other()
    {
        await using var one = await StartAsync(null, Listener);
        await using var two = await StartAsync(null, Listener);
        await one.IsAmongAsync(1);
        await two.IsAmongAsync(1);
        var system = Akka.Cluster.Cluster.Get(one.System);

        two.System.ActorSelection($"/user/{SecondClusterActor.Name}").Tell(Kill.Instance);   // the next one knows them
        two.Engine.Member!.Seeds.Addresses = [system.SelfAddress];

        await one.Log.Seen("second-cluster");
        await two.Log.Seen("second-cluster");
        var texts = new[] { one.Log.Texts("second-cluster")[0], two.Log.Texts("second-cluster")[0] };
        var ended = texts[0].EndsWith("ends", StringComparison.Ordinal) ? one : two;
        await ended.Log.Seen("member-downed");
        Assert.Single(texts, static text => text.EndsWith("ends", StringComparison.Ordinal));
        Assert.Single(texts, static text => text.EndsWith("goes on", StringComparison.Ordinal));
        Assert.Equal(0, (ended == one ? two : one).Log.Count("member-downed"));
    }

    [Fact]
    public async Task A_downed_member_waits_for_nobody_to_hear_of_its_sessions()
    {
        await using var one = await StartAsync(null, Listener);
        await using var two = await StartAsync(one.Seed, Listener);
        await two.IsAmongAsync(2);
        await Until.TrueAsync(() => two.Engine.Fence!.IsOpen, () => "the fence is shut");
        using var client = two.Client();
        await AskAsync(client, "alice");

        Akka.Cluster.Cluster.Get(two.System).Down(Akka.Cluster.Cluster.Get(two.System).SelfAddress);
        await two.Log.Seen("stopped");
        await two.System.WhenTerminated.WaitAsync(RunningProcess.Patience);

        Assert.Equal(1, two.Log.Count("member-downed"));
        Assert.Equal(0, two.Log.Count("not-detached"));
    }

    [Fact]
    public async Task The_actors_that_keep_the_members_and_the_fence_are_started_anew_when_they_are_killed()
    {
        await using var one = await StartAsync(null, Listener, "fence-timeout = 2s");
        await using var two = await StartAsync(one.Seed, Listener, "fence-timeout = 2s");
        await one.IsAmongAsync(2);
        await Until.TrueAsync(() => one.Engine.Fence!.IsOpen, () => "the fence is shut");
        foreach (var name in new[] { "router-members", FenceActor.Name, "router-configuration" })
        {
            one.System.ActorSelection($"/user/{name}").Tell(Kill.Instance);
        }

        await Until.TrueAsync(
            () => one.Log.Count("cluster-actor-restarted") == 3,
            () => string.Join('\n', one.Log.Texts("cluster-actor-restarted")));
        var shut = one.Engine.Fence!.TimesShut;
        Assert.Equal(2, one.Log.Count("member-up"));   // who is known is not told of again

        await two.StopAsync();   // the new one hears of it
        await one.IsAmongAsync(1);
        await one.Log.Seen("member-removed");
        Assert.InRange(shut, 0, 1);
        await Until.TrueAsync(() => one.Engine.Fence!.IsOpen, () => "the fence stays shut");
    }
}

using Router.Cluster;
using Router.Cluster.Identities;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>Identities over real members, sockets and remoting.</summary>
public sealed class IdentityTests
{
    private const string FirstLine = "identity { first-line = \"^(\\\\w+)\" }";

    [Fact]
    public async Task A_peer_that_comes_from_another_address_finds_its_state_and_the_session_before_ends()
    {
        await using var member = await StartAsync(null, FirstLine);
        using var first = member.Client();
        using var second = member.Client();

        Assert.Equal("1 1", await AskAsync(first, "alice"));
        Assert.Equal("2 1", await AskAsync(first, "alice"));
        Assert.Equal("3 2", await AskAsync(second, "alice"));

        await member.Log.Seen("session-closed");
        Assert.Contains("superseded", Assert.Single(member.Log.Texts("session-closed")), StringComparison.Ordinal);
        Assert.Equal("4 3", await AskAsync(first, "alice"));
    }

    [Fact]
    public async Task A_peer_that_comes_to_another_member_finds_its_state_there()
    {
        await using var one = await StartAsync(null, FirstLine);
        await using var two = await StartAsync(one.Seed, FirstLine);
        await one.IsAmongAsync(2);
        await two.IsAmongAsync(2);
        for (var i = 0; i < 8; i++)   // some of their entities are at each member
        {
            using var before = one.Client();
            using var after = two.Client();
            Assert.Equal("1 1", await AskAsync(before, $"peer{i}"));
            Assert.Equal("2 2", await AskAsync(after, $"peer{i}"));
            Assert.Equal("3 3", await AskAsync(before, $"peer{i}"));
        }
    }

    [Fact]
    public async Task What_is_told_to_an_identity_reaches_its_session_at_whichever_member_or_waits_for_it()
    {
        await using var one = await StartAsync(null, FirstLine);
        await using var two = await StartAsync(one.Seed, FirstLine);
        await two.IsAmongAsync(2);
        var fromTwo = RouterCluster.Get(two.System);
        fromTwo.Identity("bob").Tell("early");
        using var client = one.Client();
        await client.SendAsync("bob"u8.ToArray());
        var heard = new[] { await HearAsync(client), await HearAsync(client) };

        Assert.Equal(["1 1", "told early"], heard.Order());
        Assert.Equal(
            Delivery.Delivered, await fromTwo.Identity("bob").AskAsync("late", RunningProcess.Patience));
        Assert.Equal("told late", await HearAsync(client));
        Assert.Equal(
            Delivery.NotAttached, await fromTwo.Identity("nobody").AskAsync("lost", RunningProcess.Patience));
    }
}

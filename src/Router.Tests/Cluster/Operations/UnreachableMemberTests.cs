using System.Net;
using System.Text.Json;
using Akka.Remote;
using Router.Cluster.Operations;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster.Operations;

/// <summary>What an operator is told while a member is not heard of.</summary>
public sealed class UnreachableMemberTests
{
    private const string Listener = "max-sessions = 5, identity { first-line = \"^(\\\\w+)\" }";

    [Fact]
    public async Task A_member_that_is_not_heard_of_is_named_everywhere_and_nothing_is_reloaded()
    {
        // By Akka's own timings a member that is lost stays so for twenty seconds.
        await using var one = await StartAsync(
            null, Listener, "detection = default", keys: "admin.bind = \"127.0.0.1:0\"");
        await using var two = await StartAsync(one.Seed, Listener, "detection = default");
        await one.IsAmongAsync(2);
        using var client = one.Client();
        await Until.TrueAsync(() => one.Engine.Fence!.IsOpen, () => "the fence is shut");
        await AskAsync(client, "here");
        using var admin = await one.AdminAsync();

        await ((RemoteActorRefProvider)((ExtendedActorSystem)two.System).Provider).Transport.Shutdown();
        await one.Log.Seen("member-unreachable");
        var (_, cluster) = await SendAsync(admin, HttpMethod.Get, "/cluster");
        var (_, identities) = await SendAsync(admin, HttpMethod.Get, "/cluster/identities");
        var (_, identity) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=here");
        var (_, nobody) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=nobody");
        var (_, sessions) = await SendAsync(admin, HttpMethod.Get, "/sessions?cluster=true");
        var (reload, problem) = await SendAsync(admin, HttpMethod.Post, "/cluster/reload");
        var (_, ofOne) = await SendAsync(admin, HttpMethod.Post, $"/cluster/reload?member={one.Seed}");

        var members = cluster.GetProperty("members").EnumerateArray().ToDictionary(
            static each => each.GetProperty("address").GetString()!);
        Assert.True(members[one.Seed].GetProperty("reachable").GetBoolean());
        Assert.False(members[two.Seed].GetProperty("reachable").GetBoolean());
        Assert.Equal(JsonValueKind.Null, members[two.Seed].GetProperty("facts").ValueKind);
        Assert.All(
            new[] { cluster, identities, identity },
            body => Assert.Equal([two.Seed], Texts(body.GetProperty("unanswered"))));
        Assert.Contains($"no answer of {two.Seed}", Text(nobody, "detail"), StringComparison.Ordinal);
        var bySession = sessions.GetProperty("members").EnumerateArray().ToDictionary(
            static each => each.GetProperty("member").GetString()!);
        Assert.Equal("no answer", Text(bySession[two.Seed], "fault"));
        Assert.False(bySession[one.Seed].TryGetProperty("fault", out _));
        Assert.Equal(HttpStatusCode.Conflict, reload);
        Assert.StartsWith(
            $"{two.Seed} could not follow; nothing has changed on any member:", Text(problem, "detail"),
            StringComparison.Ordinal);
        Assert.Contains($"nothing has changed on {one.Seed}:", Text(ofOne, "detail"), StringComparison.Ordinal);
        Assert.Equal(0, one.Log.Count("reloaded"));
    }

    [Fact]
    public async Task What_a_member_does_not_know_or_cannot_read_is_answered_as_a_problem()
    {
        await using var one = await StartAsync(null, Listener);
        await one.IsAmongAsync(1);
        var asks = one.Engine.Member!.Asks;
        var self = Assert.Single(asks.Members);

        var unknown = await asks.AskAsync(self, new MemberQuestion("no-such", ""), RunningProcess.Patience, default);
        var broken = await asks.AskAsync(self, new MemberQuestion("identities", "{"), RunningProcess.Patience, default);

        Assert.Equal((501, 500), (unknown!.Status, broken!.Status));
        Assert.Contains("no-such", unknown.Json, StringComparison.Ordinal);
        Assert.Equal(1, one.Log.Count("fault"));
    }

    private static IEnumerable<string> Texts(JsonElement list) =>
        list.EnumerateArray().Select(static each => each.GetString()!);

    private static string Text(JsonElement element, string key) => element.GetProperty(key).GetString()!;

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpClient admin, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var reply = await admin.SendAsync(request);
        using var document = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        return (reply.StatusCode, document.RootElement.Clone());
    }
}

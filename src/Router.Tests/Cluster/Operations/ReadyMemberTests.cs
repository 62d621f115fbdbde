using System.Net;
using System.Text.Json;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster.Operations;

/// <summary>What a balancer is told by a member's <c>/ready</c>.</summary>
public sealed class ReadyMemberTests
{
    private const string Admin = "admin.bind = \"127.0.0.1:0\"";

    [Fact]
    public async Task A_member_is_ready_from_when_it_is_up_until_it_drains()
    {
        await using var member = await StartAsync(null, "max-sessions = 5", route: "type = echo", keys: Admin);
        using var client = await member.AdminAsync();
        await Until.TrueAsync(() => member.Engine.Fence!.IsOpen, () => "the fence is shut");
        Assert.Equal((HttpStatusCode.OK, ""), await ReadyAsync(client));
        using var peer = member.Client();
        await AskAsync(peer, "stay");
        using var held = new ManualResetEventSlim();
        member.Engine.Loops[0].Enqueue(new ActionRunnable(held.Wait));   // so that its session stays

        var stop = Task.Run(member.StopAsync);
        try
        {
            await Until.TrueAsync(() => member.Engine.IsStopping, () => "it does not drain");
            var (status, reasons) = await ReadyAsync(client);

            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.StartsWith("draining", reasons, StringComparison.Ordinal);
            await member.Log.Seen("drain-progress");
            var progress = member.Log.Of("drain-progress")[0];
            Assert.Equal(
                (1, 0, 0, 0L),
                (progress["sessions"], progress["waiting"], progress["checkpoints-queued"], progress["identities"]));
        }
        finally
        {
            held.Set();
            await stop;
        }
    }

    [Fact]
    public async Task A_member_that_nobody_has_let_in_is_not_ready()
    {
        await using var member = await StartAsync("127.0.0.1:1", "max-sessions = 5", keys: Admin);
        using var client = await member.AdminAsync();

        var (status, reasons) = await ReadyAsync(client);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("member-", reasons, StringComparison.Ordinal);
        Assert.Contains("fenced", reasons, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, string Reasons)> ReadyAsync(HttpClient client)
    {
        using var reply = await client.GetAsync("/ready");
        using var document = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        var reasons = document.RootElement.GetProperty("reasons").EnumerateArray();
        return (reply.StatusCode, string.Join(' ', reasons.Select(static reason => reason.GetString())));
    }
}

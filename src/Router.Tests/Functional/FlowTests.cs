using System.Net;
using System.Text;
using System.Text.Json;
using Router.Routes;
using Router.Sessions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Issues a token for every line of the control session, and echoes what the flows say.</summary>
public sealed class CallHandler : FlowHandler
{
    public override void OnReceived(SessionContext session, PayloadBatch batch) =>
        session.Reply(Encoding.ASCII.GetBytes(Flows.IssueToken()));

    public override void OnFlowReceived(SessionContext control, Flow flow, ReadOnlyMemory<byte> payload) =>
        flow.Reply(payload.Span);
}

/// <summary>TCP control and UDP media as one, with real clients.</summary>
public sealed class FlowTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Load = "-c 127.0.0.1 -p 47201 -J -u -b 4M -l 1200 -t 1 -P 2";

    [RequiresToolFact(RequiredTools.Namespace, "iperf3")]
    public async Task Each_iperf3_test_lands_on_one_of_two_servers_with_control_and_streams()
    {
        const int Tests = 3;
        const int Streams = 2;
        foreach (var port in new[] { 48201, 48202 })
        {
            var text = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
            await ServerAsync("tcp", port, "iperf3", "-s", "-B", "127.0.0.1", "-p", text);
        }

        var router = await RouterAsync(Repository.Read("hocon/examples/iperf3.conf"));
        for (var test = 0; test < Tests; test++)
        {
            var report = await ToolAsync("iperf3", Load.Split(' '));
            using var json = JsonDocument.Parse(report);
            Assert.False(json.RootElement.TryGetProperty("error", out var error), error.ToString());
            var sum = json.RootElement.GetProperty("end").GetProperty("sum");
            Assert.Equal(0, sum.GetProperty("lost_packets").GetInt64());
            await router.RecordAsync("flows-closed", test);
        }

        var upstreams = new List<string?>();
        foreach (var together in router.RecordsOf("flows-closed"))
        {
            Assert.Equal(Streams, together.GetProperty("flows").GetInt32());
            var upstream = together.GetProperty("upstream").GetString();
            upstreams.Add(upstream);
            foreach (var member in together.GetProperty("members").GetString()!.Split(' '))
            {
                var id = member.Split('=')[0];
                var flow = await ClosedAsync(router, id);
                Assert.Equal(upstream, flow.GetProperty("upstream").GetString());
            }
        }

        Assert.Equal(2, upstreams.Distinct().Count());   // both were used
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_handler_lets_in_who_shows_its_token_and_a_stranger_is_counted()
    {
        var router = await RouterAsync(
            Repository.Read("hocon/examples/flow.conf"), "--set", "router.log.stats-interval=1s");

        await Network.RunAsync(static () =>
        {
            using var control = Client.Tcp(47301);
            control.Send("a call, please"u8);
            var token = new byte[FlowTable.TokenBytes];
            for (var length = 0; length < token.Length;)
            {
                length += control.Receive(token, length, token.Length - length, System.Net.Sockets.SocketFlags.None);
            }

            using var stranger = Client.Udp(47302, new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
            stranger.Send("let me in"u8);
            using var media = Client.Udp(47302, new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
            media.Send(token);
            Assert.Equal("media"u8.ToArray(), Client.Exchange(media, "media"u8));
            Assert.Equal(0, stranger.Available);
        });

        var together = await router.RecordAsync("flows-closed");
        Assert.Equal(1, together.GetProperty("flows").GetInt32());
        Assert.StartsWith("127.0.0.1:", together.GetProperty("peer").GetString(), StringComparison.Ordinal);
        var drops = await router.RecordAsync("drops");
        Assert.Equal("foreign-source", drops.GetProperty("reason").GetString());
        Assert.Equal(1, drops.GetProperty("count").GetInt32());
    }

    /// <summary>A session's record, which may come after the one of its group.</summary>
    private static async Task<JsonElement> ClosedAsync(RouterProcess router, string id)
    {
        bool IsIts(JsonElement record) => record.GetProperty("session").GetString() == id;
        await Until.TrueAsync(() => router.RecordsOf("session-closed").Any(IsIts), () => $"no record of {id}");
        return router.RecordsOf("session-closed").Single(IsIts);
    }
}

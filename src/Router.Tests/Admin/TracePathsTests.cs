using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Functional;

namespace Router.Tests.Admin;

/// <summary>Traces of single sessions and of peers, on real sockets.</summary>
public sealed class TracePathsTests
{
    private const string Bound = """
        admin.bind = "127.0.0.1:0"
        listeners.echo { bind = "udp://127.0.0.1:0", route = e }
        listeners.stream { bind = "tcp://127.0.0.1:0", route = e }
        routes.e.type = echo

        """;

    [Fact]
    public async Task A_session_tells_what_comes_and_goes_until_its_lines_are_used_up()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Engine.Begun;
        using var peer = await EchoedAsync(rig);
        using var other = await EchoedAsync(rig);
        var id = await SessionOfAsync(rig, peer);

        var (status, trace) = await rig.SendAsync(
            HttpMethod.Post, $"/sessions/{id}/trace", "{\"lines\":4,\"head\":2}");
        await ExchangeAsync(peer, "hello");
        await ExchangeAsync(other, "hello");
        await ExchangeAsync(peer, "again");
        await rig.Log.Seen("session-trace-ended");

        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(id, trace.GetProperty("session").GetString());
        var lines = rig.Log.Of("session-trace");
        Assert.Equal(["received", "sent", "turn", "received"], lines.Select(static line => line["step"]));
        Assert.All(lines, line => Assert.Equal(id, line["session"]));
        Assert.Equal(("5", "6865"), ($"{lines[0]["bytes"]}", lines[0]["head"]));
        Assert.Equal("datagrams", lines[2]["detail"]);
        var ended = Assert.Single(rig.Log.Of("session-trace-ended"));
        Assert.Equal(("lines", "4"), (ended["reason"], $"{ended["lines"]}"));
        await ExchangeAsync(peer, "more");
        Assert.Equal(4, rig.Log.Of("session-trace").Count);
    }

    [Fact]
    public async Task The_sessions_of_a_peer_are_told_of_from_the_first_to_the_last()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Engine.Begun;
        await rig.SendAsync(HttpMethod.Post, "/traces", "{\"peer\":\"127.0.0.0/8\",\"head\":0}");
        using var client = new TcpClient();
        await client.ConnectAsync(rig.Engine.Bound[1].Address.ToIPEndPoint());

        await client.GetStream().WriteAsync("hello"u8.ToArray());
        await client.GetStream().ReadExactlyAsync(new byte[5]);
        client.Client.Shutdown(SocketShutdown.Send);
        await Until.TrueAsync(
            () => rig.Log.Of("session-trace").Any(static line => Equals(line["step"], "closed")), () => "no end");

        var steps = rig.Log.Of("session-trace").Where(static line => !Equals(line["step"], "turn")).ToList();
        Assert.Equal(["opened", "received", "sent", "closed"], steps.Select(static line => line["step"]));
        Assert.Equal("peer", steps[^1]["detail"]);
        Assert.Null(steps[1]["head"]);
        var (_, traces) = await rig.GetAsync("/traces");
        Assert.Equal("127.0.0.0/8", Assert.Single(traces.GetProperty("traces").EnumerateArray())
            .GetProperty("peers").GetString());
        await rig.SendAsync(HttpMethod.Delete, "/traces/1");
        Assert.Equal("asked", Assert.Single(rig.Log.Of("session-trace-ended"))["reason"]);
    }

    [Fact]
    public async Task A_peer_that_gets_no_session_is_told_of_with_the_reason()
    {
        await using var rig = AdminRig.Start($"{Bound} listeners.echo.max-sessions = 1");
        await rig.Engine.Begun;
        using var first = await EchoedAsync(rig);
        await rig.SendAsync(HttpMethod.Post, "/traces", "{\"peer\":\"127.0.0.1\"}");
        using var second = new UdpClient();

        await second.SendAsync("hello"u8.ToArray(), EchoOf(rig));

        await rig.Log.Seen("session-trace");
        var line = rig.Log.Of("session-trace")[0];
        Assert.Equal(("dropped", "max-sessions", "68656c6c6f"), (line["step"], line["detail"], line["head"]));
        Assert.Null(line["session"]);
    }

    [Fact]
    public async Task A_trace_ends_with_its_session()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Engine.Begun;
        using var peer = await EchoedAsync(rig);
        var id = await SessionOfAsync(rig, peer);
        await rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/trace", "{}");

        await rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/close");

        await rig.Log.Seen("session-trace-ended");
        Assert.Equal("session-closed", rig.Log.Of("session-trace-ended")[0]["reason"]);
        Assert.Equal("admin", rig.Log.Of("session-trace")[^1]["detail"]);
    }

    [Fact]
    public async Task Its_time_is_bounded_and_so_is_the_number_of_traces()
    {
        await using var rig = AdminRig.Start($"{Bound} admin.trace {{ traces = 1, time = 1s }}");
        await rig.Engine.Begun;
        const string Peer = "{\"peer\":\"192.0.2.7\"}";

        await rig.SendAsync(HttpMethod.Post, "/traces", Peer);
        var (status, problem) = await rig.SendAsync(HttpMethod.Post, "/traces", Peer);
        await rig.Log.Seen("session-trace-ended");
        var (again, _) = await rig.SendAsync(HttpMethod.Post, "/traces", Peer);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("router.admin.trace.traces allows 1", problem.GetProperty("detail").GetString());
        Assert.Equal("time", rig.Log.Of("session-trace-ended")[0]["reason"]);
        Assert.Equal(HttpStatusCode.Created, again);
    }

    [Theory]
    [InlineData("{\"peer\":\"nobody\"}", "is no address, endpoint or network")]
    [InlineData("{}", "is no address, endpoint or network")]
    [InlineData("{\"peer\":\"::1\",\"lines\":0}", "router.admin.trace.lines says")]
    [InlineData("{\"peer\":\"::1\",\"head\":1025}", "router.admin.trace.head says")]
    [InlineData("{\"peer\":\"::1\",\"time\":\"2h\"}", "router.admin.trace.time says")]
    [InlineData("{\"peer\":\"::1\",\"time\":\"soon\"}", "is no duration")]
    public async Task What_cannot_be_wanted_is_refused(string body, string hint)
    {
        await using var rig = AdminRig.Start(Bound);

        var (status, problem) = await rig.SendAsync(HttpMethod.Post, "/traces", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(hint, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task One_that_cannot_be_begun_takes_no_place()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Engine.Begun;
        using var release = new ManualResetEventSlim();
        rig.Engine.Loops[0].Enqueue(new ActionRunnable(release.Wait));
        var sweeps = Enumerable.Range(0, 17).Select(_ => rig.GetAsync("/sessions")).ToList();   // one too many
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await await Task.WhenAny(sweeps)).Status);

        var (status, _) = await rig.SendAsync(HttpMethod.Post, "/traces", "{\"peer\":\"::1\"}");
        release.Set();
        await Task.WhenAll(sweeps);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Empty((await rig.GetAsync("/traces")).Body.GetProperty("traces").EnumerateArray());
    }

    [Fact]
    public async Task A_session_has_one_trace_at_a_time()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Engine.Begun;
        using var peer = await EchoedAsync(rig);
        var id = await SessionOfAsync(rig, peer);
        await rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/trace", "{}");

        var (twice, _) = await rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/trace", "{}");
        var (none, _) = await rig.SendAsync(HttpMethod.Post, $"/sessions/{new string('0', 32)}/trace", "{}");
        var (gone, _) = await rig.SendAsync(HttpMethod.Delete, "/traces/99");

        Assert.Equal(HttpStatusCode.Conflict, twice);
        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound], [none, gone]);
        var (_, traces) = await rig.GetAsync("/traces");
        Assert.Single(traces.GetProperty("traces").EnumerateArray());
    }

    private static IPEndPoint EchoOf(AdminRig rig) => rig.Engine.Bound[0].Address.ToIPEndPoint();

    private static async Task<UdpClient> EchoedAsync(AdminRig rig)
    {
        var peer = new UdpClient();
        peer.Connect(EchoOf(rig));
        await ExchangeAsync(peer, "first");
        return peer;
    }

    private static async Task ExchangeAsync(UdpClient peer, string text)
    {
        await peer.SendAsync(Encoding.ASCII.GetBytes(text));
        Assert.Equal(text, Encoding.ASCII.GetString((await peer.ReceiveAsync()).Buffer));
    }

    private static async Task<string> SessionOfAsync(AdminRig rig, UdpClient peer)
    {
        var (_, page) = await rig.GetAsync($"/sessions?peer={peer.Client.LocalEndPoint}");
        return page.GetProperty("sessions")[0].GetProperty("session").GetString()!;
    }
}

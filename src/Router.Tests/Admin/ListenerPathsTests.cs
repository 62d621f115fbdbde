using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Router.Tests.Admin;

/// <summary>The drain of one listener and of one upstream, on real sockets.</summary>
public sealed class ListenerPathsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_drained_TCP_listener_refuses_and_a_resumed_one_accepts()
    {
        await using var rig = AdminRig.Start("""
            admin.bind = "127.0.0.1:0"
            loops = 2
            listeners.a { bind = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"], route = e }
            listeners.b { bind = "tcp://127.0.0.1:0", route = e }
            routes.e.type = echo
            """);
        await rig.Engine.Begun;
        var (a, b) = (At(rig, "a"), At(rig, "b"));
        using var open = await AskAsync(a);

        await rig.SendAsync(HttpMethod.Post, "/listeners/a/drain");
        await StateAsync(rig, "a", "drained");
        Assert.Equal(0, open.Receive(new byte[10]));   // it was quiet, so it has ended
        open.Dispose();
        await Assert.ThrowsAsync<SocketException>(() => AskAsync(a));
        using var other = await AskAsync(b);
        Assert.Equal("serving", Of(await rig.GetAsync("/listeners"), "b").GetProperty("state").GetString());

        rig.Write(await File.ReadAllTextAsync(rig.File) + "\nrouter.drain-timeout = 9s");
        Assert.Equal(HttpStatusCode.OK, (await rig.SendAsync(HttpMethod.Post, "/reload")).Status);
        await StateAsync(rig, "a", "drained");   // a reload leaves it so

        await rig.SendAsync(HttpMethod.Post, "/listeners/a/resume");
        await StateAsync(rig, "a", "serving");
        using var again = await AskAsync(a);
        var (_, listeners) = await rig.GetAsync("/listeners");
        Assert.Equal(
            [$"tcp://{a}", $"udp://127.0.0.1:{UdpPort(rig)}"],
            Of((default, listeners), "a").GetProperty("addresses").EnumerateArray()
                .Select(static address => address.GetProperty("address").GetString()));
        Assert.Equal(2, rig.Log.Texts("admin-changed").Count(static text => text.Contains("listener-")));
        var (missing, problem) = await rig.SendAsync(HttpMethod.Post, "/listeners/none/drain");
        Assert.Equal(HttpStatusCode.NotFound, missing);
        Assert.Contains("'none' serves nothing", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_drained_UDP_listener_takes_no_new_peers_and_a_resumed_one_does()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        await rig.Engine.Begun;
        var router = At(rig, "e");
        using var one = new UdpClient();

        await rig.SendAsync(HttpMethod.Post, "/listeners/e/drain");
        await StateAsync(rig, "e", "drained");
        await one.SendAsync("x"u8.ToArray(), router);
        await UntilAsync(async () => (await rig.GetAsync("/stats")).Body.GetProperty("total")
            .GetProperty("drop-reasons").TryGetProperty("draining", out _));

        await rig.SendAsync(HttpMethod.Post, "/listeners/e/resume");
        await StateAsync(rig, "e", "serving");
        await one.SendAsync("y"u8.ToArray(), router);
        using var patience = new CancellationTokenSource(Patience);
        Assert.Equal("y"u8.ToArray(), (await one.ReceiveAsync(patience.Token)).Buffer);
    }

    [Fact]
    public async Task An_upstream_gets_what_it_is_to_get()
    {
        using var first = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var second = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var (one, two) = (first.Client.LocalEndPoint!.ToString()!, second.Client.LocalEndPoint!.ToString()!);
        await using var rig = AdminRig.Start($$"""
            admin.bind = "127.0.0.1:0"
            listeners.l { bind = "udp://127.0.0.1:0", route = p }
            routes.p { type = proxy, upstreams = ["{{one}}", "{{two}}"], on-upstream-removed = close }
            """);
        await rig.Engine.Begun;
        var peers = new List<UdpClient>();

        await SendAsync(4);
        Assert.Equal([("up", 100, 2), ("up", 100, 2)], await UpstreamsAsync());

        await rig.SendAsync(HttpMethod.Post, $"/upstreams/p/drain?upstream={one}");
        await SendAsync(3);
        Assert.Equal([("draining", 100, 2), ("up", 100, 5)], await UpstreamsAsync());

        await rig.SendAsync(HttpMethod.Post, $"/upstreams/p/enable?upstream={one}");
        await rig.SendAsync(HttpMethod.Put, $"/upstreams/p/weight?upstream={one}", "{\"weight\":300}");
        await SendAsync(8);
        Assert.Equal([("up", 300, 8), ("up", 100, 7)], await UpstreamsAsync());

        await rig.SendAsync(HttpMethod.Post, $"/upstreams/p/disable?upstream={one}");
        await UntilAsync(async () => (await UpstreamsAsync()).Last().Sessions == 0);   // its sessions are closed
        Assert.Equal([("up", 100, 7), ("disabled", 300, 0)], await UpstreamsAsync());
        await SendAsync(2);
        Assert.Equal([("up", 100, 9), ("disabled", 300, 0)], await UpstreamsAsync());

        var (status, problem) = await rig.SendAsync(HttpMethod.Post, "/upstreams/p/drain?upstream=192.0.2.1:1");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("is none of route 'p'", problem.GetProperty("detail").GetString());
        Assert.Equal(404, (int)(await rig.SendAsync(HttpMethod.Post, $"/upstreams/q/drain?upstream={one}")).Status);
        Assert.Equal(400, (int)(await rig.SendAsync(HttpMethod.Post, "/upstreams/p/drain")).Status);
        Assert.Equal(400, (int)(await rig.SendAsync(
            HttpMethod.Put, $"/upstreams/p/weight?upstream={one}", "{\"weight\":1001}")).Status);
        Assert.Equal(400, (int)(await rig.SendAsync(
            HttpMethod.Put, $"/upstreams/p/weight?upstream={one}", "{}")).Status);   // 0 would end its sessions to come
        peers.ForEach(static peer => peer.Dispose());

        async Task SendAsync(int count)
        {
            var before = (await UpstreamsAsync()).Sum(static upstream => upstream.Sessions);
            for (var i = 0; i < count; i++)
            {
                var peer = new UdpClient();
                peers.Add(peer);
                await peer.SendAsync("x"u8.ToArray(), At(rig, "l"));
            }

            await UntilAsync(async () =>
                (await UpstreamsAsync()).Sum(static upstream => upstream.Sessions) == before + count);
        }

        async Task<List<(string State, int Weight, int Sessions)>> UpstreamsAsync()
        {
            var (_, report) = await rig.GetAsync("/upstreams");
            var group = Assert.Single(report.GetProperty("groups").EnumerateArray());
            return
            [
                .. group.GetProperty("upstreams").EnumerateArray().Select(static upstream => (
                    upstream.GetProperty("state").GetString()!,
                    upstream.GetProperty("weight").GetInt32(),
                    upstream.GetProperty("sessions").GetInt32())),
            ];
        }
    }

    private static IPEndPoint At(AdminRig rig, string listener) => rig.Engine.Bound
        .First(bound => bound.Request.Listener == listener).Address.ToIPEndPoint();

    private static int UdpPort(AdminRig rig) => rig.Engine.Bound
        .First(static bound => bound.Sockets[0] is Router.Net.DatagramSocket).Address.Port;

    private static JsonElement Of((HttpStatusCode, JsonElement Body) reply, string listener) =>
        reply.Body.GetProperty("listeners").EnumerateArray()
            .First(each => each.GetProperty("name").GetString() == listener);

    private static Task StateAsync(AdminRig rig, string listener, string state) => UntilAsync(async () =>
        Of(await rig.GetAsync("/listeners"), listener).GetProperty("state").GetString() == state);

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task<Socket> AskAsync(IPEndPoint router)
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer.ReceiveTimeout = 20_000;
        await peer.ConnectAsync(router);
        peer.Send("hi"u8);
        Assert.Equal(2, peer.Receive(new byte[10]));
        return peer;
    }
}

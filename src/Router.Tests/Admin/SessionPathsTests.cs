using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Router.Admin;
using Router.Net;

namespace Router.Tests.Admin;

/// <summary>Lists of sessions, one of them, and its end, on real sockets.</summary>
public sealed class SessionPathsTests : IAsyncLifetime
{
    private const string Two = """
        admin.bind = "127.0.0.1:0"
        loops = 2
        listeners {
          one { bind = "udp://127.0.0.1:0", route = e }
          two { bind = "tcp://127.0.0.1:0", route = e }
        }
        routes.e.type = echo
        """;

    private readonly AdminRig _rig = AdminRig.Start(Two);
    private readonly List<Socket> _peers = [];

    public Task InitializeAsync() => _rig.Engine.Begun;

    public async Task DisposeAsync()
    {
        _peers.ForEach(static peer => peer.Dispose());
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task Pages_have_each_session_that_stays_once_while_others_come_and_go()
    {
        Udp(60);
        var stays = (await AllAsync("/sessions?limit=1000")).Select(IdOf).ToList();
        Assert.Equal(60, stays.Count);
        var gone = stays[30];
        var seen = new List<string>();

        for (var path = "/sessions?limit=7"; path is not null;)
        {
            var (status, page) = await _rig.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(60, page.GetProperty("matched").GetInt32());
            seen.AddRange(page.GetProperty("sessions").EnumerateArray().Select(IdOf));
            path = page.GetProperty("next").GetString() is { } next ? $"/sessions?limit=7&cursor={next}" : null;
            Udp(3);
            await _rig.SendAsync(HttpMethod.Delete, $"/sessions/{gone}");
        }

        Assert.Equal(stays.Where(id => id != gone), seen.Where(id => id != gone));
    }

    [Fact]
    public async Task A_list_that_is_not_kept_any_more_is_gone()
    {
        var (status, problem) = await _rig.GetAsync("/sessions?cursor=99-7");

        Assert.Equal(HttpStatusCode.Gone, status);
        Assert.Contains("begin again without cursor", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task So_many_lists_are_kept_and_the_one_that_was_not_used_longest_goes()
    {
        Udp(3);
        await AllAsync("/sessions?limit=1000");
        var cursors = new List<string>();
        for (var i = 0; i <= SessionPages.ListsKeptMax; i++)
        {
            var (_, page) = await _rig.GetAsync("/sessions?limit=1");
            cursors.Add(page.GetProperty("next").GetString()!);
        }

        Assert.Equal(HttpStatusCode.Gone, (await _rig.GetAsync($"/sessions?limit=1&cursor={cursors[0]}")).Status);
        Assert.All(
            await Task.WhenAll(cursors.Skip(1).Select(cursor => _rig.GetAsync($"/sessions?limit=1&cursor={cursor}"))),
            static answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [Theory]
    [InlineData("", 12)]
    [InlineData("listener=one", 8)]
    [InlineData("listener=nobody", 0)]
    [InlineData("route=e&listener=two", 4)]
    [InlineData("peer=127.0.0.0/8", 12)]
    [InlineData("peer=127.0.0.1", 12)]
    [InlineData("peer=::ffff:127.0.0.1", 12)]
    [InlineData("peer=10.0.0.0/8", 0)]
    [InlineData("upstream=127.0.0.1:1", 0)]
    [InlineData("identity=me", 0)]
    [InlineData("min-bytes=11", 4)]
    [InlineData("min-age=1h", 0)]
    [InlineData("min-idle=1h", 0)]
    [InlineData("min-age=0s&min-idle=0s&sort=rate", 12)]
    public async Task Filters_say_which(string query, int count)
    {
        Udp(8);
        await TcpAsync(4);

        Assert.Equal(count, (await AllAsync($"/sessions?{query}")).Count);
    }

    [Fact]
    public async Task The_largest_come_first_and_an_endpoint_is_one_session()
    {
        Udp(3);
        _peers[1].Send(new byte[1_000]);
        _peers[1].Receive(new byte[2_000]);
        _peers[2].Send(new byte[500]);
        _peers[2].Receive(new byte[2_000]);

        var bytes = (await AllAsync("/sessions?sort=bytes")).Select(static session =>
            session.GetProperty("bytes-in").GetInt64() + session.GetProperty("bytes-out").GetInt64());
        Assert.Equal([2_006, 1_006, 6], bytes);
        var own = Assert.Single(await AllAsync($"/sessions?peer={_peers[1].LocalEndPoint}"));
        Assert.Equal(_peers[1].LocalEndPoint!.ToString(), own.GetProperty("peer").GetString());
    }

    /// <summary>Two loops read their clocks apart, so ages are told from one another where they are some time apart.
    /// </summary>
    [Fact]
    public async Task The_oldest_come_first()
    {
        for (var opened = 1; opened <= 3; opened++)
        {
            Udp(1);
            while ((await AllAsync("/sessions")).Min(static one => one.GetProperty("age-ms").GetInt64()) < 20)
            {
                // Each look is a request that waits for the loops.
            }
        }

        Assert.Equal(
            _peers.Select(static peer => peer.LocalEndPoint!.ToString()),
            (await AllAsync("/sessions?sort=age")).Select(static one => one.GetProperty("peer").GetString()));
    }

    [Fact]
    public async Task A_session_has_all_its_facts_and_ends_by_reason_admin()
    {
        await TcpAsync(1);
        var id = IdOf(Assert.Single(await AllAsync("/sessions")));

        var (_, facts) = await _rig.GetAsync($"/sessions/{id}");
        Assert.Equal(id, IdOf(facts.GetProperty("session")));
        Assert.Equal(60_000, facts.GetProperty("limits").GetProperty("idle-timeout-ms").GetInt64());
        Assert.InRange(facts.GetProperty("deadline-ms").GetInt64(), 1, 61_000);

        var (status, closed) = await _rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/close");
        Assert.Equal((HttpStatusCode.OK, "admin"), (status, closed.GetProperty("reason").GetString()));
        Assert.Equal(0, _peers[0].Receive(new byte[1]));   // an orderly end
        _peers[0].Dispose();
        await _rig.Log.Seen("session-closed").WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Contains("admin", Assert.Single(_rig.Log.Texts("session-closed")));
        Assert.Contains(id, Assert.Single(_rig.Log.Texts("admin-changed")));

        var (missing, problem) = await _rig.SendAsync(HttpMethod.Delete, $"/sessions/{id}");
        Assert.Equal(HttpStatusCode.NotFound, missing);
        Assert.Contains("/sessions lists", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("/sessions?lissener=one", "did you mean 'listener'")]
    [InlineData("/sessions?peer=nobody", "no address")]
    [InlineData("/sessions?peer=127.0.0.1:0", "no address")]
    [InlineData("/sessions?min-age=soon", "no duration")]
    [InlineData("/sessions?min-idle=-1s", "no duration, as 30s or 5m: it is below 0")]
    [InlineData("/sessions?min-bytes=1KB", "1024")]
    [InlineData("/sessions?sort=name", "none of id, age")]
    [InlineData("/sessions?limit=1001", "1 to 1000")]
    [InlineData("/sessions?limit=1&limit=2", "given 2 times")]
    [InlineData("/sessions?cursor=1", "is none")]
    [InlineData("/sessions?cursor=1-1&listener=one", "with limit alone")]
    [InlineData("/sessions/17", "32 hexadecimal digits")]
    [InlineData("/stats?listener=one", "no parameter 'listener'")]
    public async Task A_query_that_is_not_understood_says_what_there_may_be(string path, string words)
    {
        var (status, problem) = await _rig.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(words, problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("2001:db8::/32", "[2001:db8::1]:5", true)]
    [InlineData("2001:db8::/32", "[2001:db9::1]:5", false)]
    [InlineData("[2001:db8::1]:5", "[2001:db8::1]:5", true)]
    [InlineData("[2001:db8::1]:6", "[2001:db8::1]:5", false)]
    [InlineData("192.0.2.128/25", "192.0.2.200:1", true)]
    [InlineData("192.0.2.128/25", "192.0.2.1:1", false)]
    [InlineData("192.0.2.0/24", "[::ffff:192.0.2.9]:1", true)]
    [InlineData("0.0.0.0/0", "192.0.2.9:1", true)]
    [InlineData("0.0.0.0/0", "[2001:db8::1]:1", false)]
    public void Networks_hold_what_is_in_them(string filter, string peer, bool matches) => Assert.Equal(
        matches, PeerFilter.Parse(filter)!.Matches(SocketAddr.From(IPEndPoint.Parse(peer))));

    private static string IdOf(JsonElement session) => session.GetProperty("session").GetString()!;

    private async Task<List<JsonElement>> AllAsync(string path)
    {
        var (status, page) = await _rig.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, status);
        return [.. page.GetProperty("sessions").EnumerateArray()];
    }

    private IPEndPoint At(string listener) =>
        _rig.Engine.Bound.First(bound => bound.Request.Listener == listener).Address.ToIPEndPoint();

    private void Udp(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            _peers.Add(peer);
            peer.ReceiveTimeout = 10_000;
            peer.Connect(At("one"));
            peer.Send("one"u8);
            peer.Receive(new byte[10]);
        }
    }

    private async Task TcpAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _peers.Add(peer);
            peer.ReceiveTimeout = 10_000;
            await peer.ConnectAsync(At("two"));
            peer.Send("twotwo"u8);
            peer.Receive(new byte[10]);
        }
    }
}

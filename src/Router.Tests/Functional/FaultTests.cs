using System.Net.Sockets;
using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Whatever happens to peers, upstreams and handlers: others are answered, nothing stays behind.</summary>
public sealed class FaultTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int EchoPort = 47001;
    private const int ProxyPort = 47002;

    private const string Upstream =
        """
        router {
          listeners.upstream { bind = ["udp://127.0.0.1:48001", "tcp://127.0.0.1:48001"], route = echo }
          routes.echo { type = echo }
        }
        """;

    private const string Config =
        """
        router {
          listener-defaults { idle-timeout = 2s, session { max-restarts = 1000, restart-window = 1h } }
          listeners {
            echo  { bind = ["udp://127.0.0.1:47001", "tcp://127.0.0.1:47001"], route = echo }
            proxy { bind = ["udp://127.0.0.1:47002", "tcp://127.0.0.1:47002"], route = proxy }
            crash { bind = "udp://127.0.0.1:47003", route = crash, idle-timeout = 1h }
          }
          routes {
            echo { type = echo }
            proxy { type = proxy, upstreams = ["127.0.0.1:48001"] }
            crash { type = handler, class = "Router.Tests.Functional.CrashingHandler, Router.Tests" }
          }
        }
        """;

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task An_upstream_that_is_killed_takes_only_its_own_sessions_with_it()
    {
        const int Clients = 20;
        var upstream = await RouterAsync(Upstream);
        var router = await RouterAsync(Config);
        var descriptors = await WarmUpAsync(router);
        var connections = await ManyAsync(Clients, _ => Open(Client.Tcp(ProxyPort)));
        var peers = await ManyAsync(Clients, _ => Open(Client.Udp(ProxyPort)));

        upstream.Signal(TestLibc.SigKill);
        await upstream.ExitAsync();

        foreach (var connection in connections)
        {
            Assert.Equal(0, await Network.RunAsync(() => ReceiveEnd(connection)));
        }

        await Network.RunAsync(() => peers.ForEach(peer => peer.Send("lost"u8)));
        await AssertAnswersAsync();
        peers.Concat(connections).ToList().ForEach(socket => socket.Dispose());
        await AssertDescriptorsAsync(router, descriptors);

        await RouterAsync(Upstream);
        await Network.RunAsync(() => Open(Client.Udp(ProxyPort)).Dispose());
        await Network.RunAsync(() => Open(Client.Tcp(ProxyPort)).Dispose());
    }

    [RequiresToolTheory(RequiredTools.Namespace, "ncat")]
    [InlineData(EchoPort)]
    [InlineData(ProxyPort)]
    public async Task A_client_that_is_killed_in_the_middle_leaves_nothing_behind(int port)
    {
        const int BytesFirst = 10_000_000;
        await RouterAsync(Upstream);
        var router = await RouterAsync(Config);
        var descriptors = await WarmUpAsync(router);
        var client = await ProgramAsync("sh", "-c", $"exec ncat 127.0.0.1 {port} </dev/zero >/dev/null");
        await Until.TrueAsync(() => client.Proc.BytesRead > BytesFirst, () => "a transfer");

        client.Signal(TestLibc.SigKill);

        await AssertAnswersAsync();
        await Until.TrueAsync(() => router.RecordsOf("session-closed").Any(IsLarge), () => "the session's end");
        Assert.NotEqual("idle", router.RecordsOf("session-closed").First(IsLarge).GetProperty("reason").GetString());
        await AssertDescriptorsAsync(router, descriptors);

        static bool IsLarge(JsonElement closed) => closed.GetProperty("bytes-in").GetInt64() > BytesFirst / 4;
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Ten_thousand_clients_that_do_not_wait_for_their_reply_do_no_harm()
    {
        const int Clients = 10_000;
        var router = await RouterAsync(Config);
        var descriptors = await WarmUpAsync(router, withProxy: false);
        var refusals = router.Proc.Counter("Icmp", "OutDestUnreachs");

        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Clients; i++)
            {
                using var client = Client.Udp(EchoPort);
                client.Send("gone"u8);
            }
        });

        var port = 20_000;   // none of theirs, which replies may still be on their way to
        await AssertAnswersAsync(() => Client.Udp(EchoPort, Client.Loopback(port++)));
        await AssertAnswersAsync(() => Client.Tcp(EchoPort));
        Assert.InRange(router.Proc.Counter("Icmp", "OutDestUnreachs") - refusals, 1, Clients);
        await AssertDescriptorsAsync(router, descriptors);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Ten_thousand_refusals_by_an_upstream_that_is_down_end_nothing_but_sessions()
    {
        const int Clients = 100;
        const int RoundsMax = 400;
        const int RefusalsMin = 10_000;
        var router = await RouterAsync(Config);
        var descriptors = await WarmUpAsync(router, withProxy: false);
        var refusals = router.Proc.Counter("Icmp", "InDestUnreachs");
        var clients = await ManyAsync(Clients, _ => Client.Udp(ProxyPort));

        // Not every datagram is refused: the error of an earlier one is told instead of sending the next.
        for (var round = 0; round < RoundsMax && Refusals() < RefusalsMin; round++)
        {
            var received = router.Proc.Counter("Udp", "InDatagrams");
            await Network.RunAsync(() => clients.ForEach(client => client.Send("refused"u8)));
            await Until.TrueAsync(
                () => router.Proc.Counter("Udp", "InDatagrams") - received >= Clients, () => $"round {round}");
        }

        Assert.InRange(Refusals(), RefusalsMin, long.MaxValue);
        AssertSummedUp(router, "upstream-failed");
        await AssertAnswersAsync();
        await RouterAsync(Upstream);
        await Network.RunAsync(() => Open(Client.Udp(ProxyPort)).Dispose());
        clients.ForEach(client => client.Dispose());
        await AssertDescriptorsAsync(router, descriptors);

        long Refusals() => router.Proc.Counter("Icmp", "InDestUnreachs") - refusals;
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_handler_that_crashes_a_thousand_times_costs_its_siblings_nothing()
    {
        const int CrashPort = 47003;
        const int Crashes = 1000;
        var router = await RouterAsync(Config, "--set", "router.drain-timeout=0s", "--set", "router.loops=1");
        await WarmUpAsync(router, withProxy: false);
        using var crashing = await Network.RunAsync(() => Open(Client.Udp(CrashPort)));
        await Network.RunAsync(() => crashing.Send("crash"u8));   // the first one loads what writes stack traces
        await router.RecordAsync("session-restarted");
        var descriptors = router.Proc.DescriptorsHeld;
        using var sibling = await Network.RunAsync(() => Open(Client.Udp(CrashPort)));

        await Network.RunAsync(() =>
        {
            for (var i = 1; i < Crashes; i++)
            {
                // On one loop the sibling's answer says that the crash was received: no two of them are in one batch.
                crashing.Send("crash"u8);
                Assert.Equal("sibling"u8.ToArray(), Client.Exchange(sibling, "sibling"u8));
            }

            Assert.Equal("still here"u8.ToArray(), Client.Exchange(crashing, "still here"u8));
        });

        await AssertAnswersAsync();
        Assert.InRange(router.Proc.DescriptorsHeld, descriptors - 2, descriptors + 2);
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        var closed = router.RecordsOf("session-closed").Where(IsOfCrash);
        AssertSummedUp(router, "session-restarted");
        Assert.Equal([0, Crashes], closed.Select(record => record.GetProperty("restarts").GetInt32()).Order());

        static bool IsOfCrash(JsonElement record) => record.GetProperty("listener").GetString() == "crash";
    }

    /// <summary>Runs every path once and lets its sessions end: what is made when first used is there then.</summary>
    /// <returns>Open descriptors.</returns>
    private async Task<int> WarmUpAsync(RouterProcess router, bool withProxy = true)
    {
        int[] ports = withProxy ? [EchoPort, ProxyPort] : [EchoPort];
        await Network.RunAsync(() =>
        {
            foreach (var port in ports)
            {
                Open(Client.Udp(port)).Dispose();
                Open(Client.Tcp(port)).Dispose();
            }
        });
        await router.RecordAsync("session-closed", (ports.Length * 2) - 1);
        return router.Proc.DescriptorsHeld;
    }

    /// <summary>A line a second of each event that comes with failures, however many there are.</summary>
    private static void AssertSummedUp(RouterProcess router, string expected)
    {
        var times = router.Records.Select(static record => record.GetProperty("time").GetDateTimeOffset()).ToList();
        var seconds = (int)(times.Max() - times.Min()).TotalSeconds + 2;
        Assert.NotEmpty(router.RecordsOf(expected));
        foreach (var lines in router.Records.GroupBy(static record => record.GetProperty("event").GetString()))
        {
            if (lines.Key is not ("session-closed" or "listening"))
            {
                Assert.True(lines.Count() <= seconds, $"{lines.Count()} lines of {lines.Key} in {seconds} s");
            }
        }
    }

    private static Socket Open(Socket socket)
    {
        Assert.Equal("open"u8.ToArray(), Client.Exchange(socket, "open"u8));
        return socket;
    }

    /// <summary>0 when the connection ends, by end of stream or reset.</summary>
    private static int ReceiveEnd(Socket connection)
    {
        try
        {
            return connection.Receive(new byte[16]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private async Task AssertAnswersAsync()
    {
        await AssertAnswersAsync(() => Client.Udp(EchoPort));
        await AssertAnswersAsync(() => Client.Tcp(EchoPort));
    }
}

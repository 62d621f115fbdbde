using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What the log counts is what a load generator, and the kernel, count: to the unit.</summary>
public sealed class CountTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 47_006;

    /// <summary>Many sessions end in one second, so that most are in sums only.</summary>
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Records_sums_and_stats_count_each_payload_and_byte_that_was_sent()
    {
        const int Clients = 300, Each = 20;
        var router = await RouterAsync(Echo("log { session-records = 500, stats-interval = 1s }", ""));
        var (received, sent) = (router.Proc.Counter("Udp", "InDatagrams"), router.Proc.Counter("Udp", "OutDatagrams"));
        var bytes = 0L;
        var clients = await ManyAsync(Clients, static _ => Client.Udp(Port));
        await Network.RunAsync(() =>
        {
            for (var round = 0; round < Each; round++)
            {
                foreach (var client in clients)
                {
                    bytes += Client.Exchange(client, new byte[1 + ((round * 37) % 200)]).Length;
                }
            }
        });
        clients.ForEach(static client => client.Dispose());

        await StopAsync(router);

        foreach (var events in new[] { new[] { "session-closed", "sessions-summarised" }, ["stats"] })
        {
            var records = events.SelectMany(router.RecordsOf).ToList();
            Assert.Equal(Clients * Each, Sum(records, "payloads-in"));
            Assert.Equal(Clients * Each, Sum(records, "payloads-out"));
            Assert.Equal(bytes, Sum(records, "bytes-in"));
            Assert.Equal(bytes, Sum(records, "bytes-out"));
        }

        Assert.NotEmpty(router.RecordsOf("sessions-summarised"));
        Assert.Equal(
            Clients,
            router.RecordsOf("session-closed").Count + Sum(router.RecordsOf("sessions-summarised"), "sessions"));
        Assert.Equal(Clients, Sum(router.RecordsOf("stats"), "closed"));

        // The namespace has nothing but these clients and the router: each datagram goes out once and comes in once.
        Assert.Equal(2 * Clients * Each, await CounterAsync("InDatagrams") - received);
        Assert.Equal(2 * Clients * Each, await CounterAsync("OutDatagrams") - sent);
    }

    /// <summary>The router stands still while its socket's buffer overflows.</summary>
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_came_and_what_the_kernel_dropped_is_what_was_sent()
    {
        const int Sent = 5_000;
        var router = await RouterAsync(Echo("", "receive-buffer = 64 KiB"));
        var dropped = router.Proc.Counter("Udp", "RcvbufErrors");
        using var client = await Network.RunAsync(static () => Client.Udp(Port));
        router.Signal(TestLibc.SigStop);
        await Until.TrueAsync(() => router.Proc.IsStopped, () => "it still runs");

        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Sent; i++)
            {
                client.Send(new byte[100]);
            }
        });
        var kernel = router.Proc.Counter("Udp", "RcvbufErrors") - dropped;
        router.Signal(TestLibc.SigCont);
        await Until.TrueAsync(() => IsQueueEmpty(router), () => "datagrams wait");
        await StopAsync(router);

        Assert.InRange(kernel, 1, Sent - 1);
        Assert.Equal(Sent - kernel, Sum(router.RecordsOf("session-closed"), "payloads-in"));
        Assert.Equal(kernel, Sum(router.RecordsOf("drops").Where(static record =>
            record.GetProperty("reason").GetString() == "receive-buffer-full"), "count"));
    }

    private static string Echo(string log, string listener) => $$"""
        router {
          loops = 1
          {{log}}
          listeners.echo { bind = "udp://127.0.0.1:{{Port}}", route = echo, {{listener}} }
          routes.echo { type = echo }
        }
        """;

    private static long Sum(IEnumerable<JsonElement> records, string key) =>
        records.Sum(record => record.GetProperty(key).GetInt64());

    private static async Task StopAsync(RouterProcess router)
    {
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }

    /// <summary>By rx_queue of the listener's socket, see proc_net_udp.</summary>
    private static bool IsQueueEmpty(RouterProcess router) =>
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{router.Id}/net/udp"))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(static words => words[1].EndsWith($":{Port:X4}", StringComparison.Ordinal))
            .All(static words => words[4].EndsWith(":00000000", StringComparison.Ordinal));

    /// <summary>Of the namespace, when the router has ended.</summary>
    private Task<long> CounterAsync(string name) => Network.RunAsync(() =>
    {
        var rows = File.ReadLines("/proc/thread-self/net/snmp")
            .Where(static line => line.StartsWith("Udp:", StringComparison.Ordinal))
            .Select(static line => line.Split(' '))
            .ToList();
        return long.Parse(rows[1][Array.IndexOf(rows[0], name)], CultureInfo.InvariantCulture);
    });
}

using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>DNS through a proxy on udp and tcp: a real server, real clients.</summary>
public sealed class DnsTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Hosts = 1000;

    private const string Config =
        """
        router {
          listeners.dns { bind = ["udp://127.0.0.1:47053", "tcp://127.0.0.1:47053"], route = dns, idle-timeout = 5s }
          routes.dns { type = proxy, upstreams = ["127.0.0.1:48053"] }
        }
        """;

    [RequiresToolFact(RequiredTools.Namespace, "knotd", "dig", "dnsperf")]
    public async Task Queries_truncation_large_answers_and_transfers_pass_as_if_direct()
    {
        await StartAsync();

        Assert.Equal("10.0.0.7", await DigAsync("h7.ex.test A +short +notcp +tries=1"));

        var big = await DigAsync("big.ex.test TXT +bufsize=512 +tries=1");
        Assert.Contains("Truncated, retrying in TCP mode", big, StringComparison.Ordinal);
        Assert.Contains("MSG SIZE  rcvd: 4068", big, StringComparison.Ordinal);
        Assert.Matches(@"SERVER: .*\(TCP\)", big);

        var mid = await DigAsync("mid.ex.test TXT +bufsize=4096 +notcp +ignore");
        Assert.Contains("MSG SIZE  rcvd: 1056", mid, StringComparison.Ordinal);

        var transfer = await DigAsync("ex.test AXFR");
        Assert.Equal(Hosts + 1, transfer.Split('\n').Count(line => line.Contains("IN\tA", StringComparison.Ordinal)));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "knotd", "dnsperf")]
    [InlineData("-m udp -Q 2000 -l 3 -c 50 -T 1")]
    [InlineData("-m tcp -Q 1000 -l 3 -c 20 -T 1")]
    public async Task Many_clients_lose_no_query(string load)
    {
        await StartAsync();
        var queries = Path.Combine(Folder, "q.txt");
        await File.WriteAllLinesAsync(queries, Enumerable.Range(0, Hosts).Select(i => $"h{i}.ex.test A"));

        var report = await ToolAsync("dnsperf", ["-s", "127.0.0.1", "-p", "47053", "-d", queries, .. load.Split(' ')]);

        Assert.Matches(@"Queries lost:\s+0 ", report);
        Assert.Matches(@"Response codes:\s+NOERROR \d+ \(100.00%\)", report);
    }

    private async Task StartAsync()
    {
        var zone = new StringBuilder(
            """
            $ORIGIN ex.test.
            $TTL 60
            @ SOA ns.ex.test. admin.ex.test. 1 3600 600 86400 60
            @ NS ns.ex.test.
            ns A 127.0.0.1

            """);
        for (var i = 0; i < Hosts; i++)
        {
            zone.AppendLine(CultureInfo.InvariantCulture, $"h{i} A 10.0.{i / 256}.{i % 256}");
        }

        zone.Append("big TXT").AppendLine(Texts(16));
        zone.Append("mid TXT").AppendLine(Texts(4));
        await File.WriteAllTextAsync(Path.Combine(Folder, "ex.test.zone"), zone.ToString());
        var server = Path.Combine(Folder, "knot.conf");
        await File.WriteAllTextAsync(
            server,
            $"""
            server:
              listen: 127.0.0.1@48053
              rundir: "{Folder}"
            database:
              storage: "{Folder}"
            acl:
              - id: local
                address: 127.0.0.0/8
                action: transfer
            zone:
              - domain: ex.test
                storage: "{Folder}"
                file: "ex.test.zone"
                acl: local
            """);
        await ServerAsync("tcp", 48053, "knotd", "-c", server);
        await RouterAsync(Config);

        static string Texts(int count) => string.Concat(Enumerable.Repeat($" \"{new string('x', 250)}\"", count));
    }

    private Task<string> DigAsync(string arguments) =>
        ToolAsync("dig", ["@127.0.0.1", "-p", "47053", .. arguments.Split(' ')]);
}

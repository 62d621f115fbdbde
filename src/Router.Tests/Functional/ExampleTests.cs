using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The files of hocon/examples, started as they are and used as they are meant; only upstreams are others.
/// </summary>
[Collection(ProgramTests.Name)]
public sealed class ExampleTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace, "knotd", "dig")]
    public async Task Dns_answers_on_udp_and_tcp()
    {
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "ex.test.zone"),
            "$ORIGIN ex.test.\n$TTL 60\n@ SOA ns.ex.test. a.ex.test. 1 3600 600 86400 60\n@ NS ns.ex.test.\n"
            + "ns A 127.0.0.1\nh A 10.0.0.7\n");
        var server = Path.Combine(Folder, "knot.conf");
        await File.WriteAllTextAsync(
            server,
            $"""
            server:
              listen: 127.0.0.1@48053
              rundir: "{Folder}"
            database:
              storage: "{Folder}"
            zone:
              - domain: ex.test
                storage: "{Folder}"
                file: "ex.test.zone"
            """);
        await ServerAsync("tcp", 48053, "knotd", "-c", server);
        await StartAsync("hocon/examples/dns.conf", "resolvers=[\"127.0.0.1:48053\"]");

        foreach (var transport in (string[])["+notcp", "+tcp"])
        {
            Assert.Equal("10.0.0.7\n", await ToolAsync("dig",
                ["@127.0.0.1", "h.ex.test", "A", "+short", "+tries=1", transport]) + "\n");
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task Game_server_keeps_each_player_with_its_server()
    {
        await ServerAsync("udp", 48777, "socat", "UDP4-LISTEN:48777,bind=127.0.0.1,fork", "EXEC:cat");
        await StartAsync("hocon/examples/game-server.conf", "servers=[\"127.0.0.1:48777\"]");

        foreach (var player in (string[])["one", "two"])
        {
            Assert.Equal(player, await ToolAsync("socat", ["-t", "1", "-", "UDP4:127.0.0.1:7777"], player));
        }
    }

    [RequiresToolTheory(RequiredTools.Namespace, "socat", "logger")]
    [InlineData("udp", "UDP4-RECVFROM:48514,bind=127.0.0.1,fork", "-d")]
    [InlineData("tcp", "TCP4-LISTEN:48514,bind=127.0.0.1,fork", "-T")]
    public async Task Syslog_brings_lines_to_the_collector(string transport, string listen, string option)
    {
        // A datagram ends without a newline: one is put behind it.
        var collector = await ServerAsync(transport, 48514, "socat", "-u", listen, "SYSTEM:cat; echo");
        await StartAsync("hocon/examples/syslog.conf", "collector=\"127.0.0.1:48514\"");

        await ToolAsync("logger", ["--rfc3164", "-n", "127.0.0.1", "-P", "514", option, "a line for you"]);

        await collector.Output.WaitAsync(line => line.Contains("a line for you", StringComparison.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace, "socat", "curl")]
    public async Task Web_passes_over_a_server_that_refuses()
    {
        var server = Path.Combine(Folder, "server.sh");
        await File.WriteAllTextAsync(server, """
            while read line && [ ${#line} -gt 1 ]; do :; done
            printf 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhere'
            """);
        await ServerAsync(
            "tcp", 48080, "socat", "TCP4-LISTEN:48080,bind=127.0.0.1,fork", $"SYSTEM:bash {server}");
        await StartAsync("hocon/examples/web.conf", "servers=[\"127.0.0.1:48081\", \"127.0.0.1:48080\"]");

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("here", await ToolAsync("curl", ["-s", "-S", "-m", "10", "http://127.0.0.1/"]));
        }
    }

    private Task<RouterProcess> StartAsync(string example, string setting) =>
        RouterAsync(Repository.Read(example), "--set", setting);
}

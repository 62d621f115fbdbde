using System.Net.Sockets;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The shipped program reads its configuration again, under load, and says what it did.</summary>
public sealed class ReloadTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Reloads = 100;

    private const string More =
        """more { bind = ["udp://127.0.0.1:47054", "tcp://127.0.0.1:47054"], route = dns }""";

    private const string Echo = """
        router {
          listeners.echo { bind = "udp://127.0.0.1:47011", route = echo, idle-timeout = 1h }
          routes.echo { type = echo }
        }
        """;

    [RequiresToolFact(RequiredTools.Namespace, "knotd", "dnsperf")]
    public async Task A_hundred_reloads_under_two_thousand_queries_a_second_lose_none()
    {
        const int Hosts = 100;
        await ServerAsync(Hosts);
        var file = Path.Combine(Folder, "router.conf");
        await File.WriteAllTextAsync(file, Dns(0));
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening");
        var queries = Path.Combine(Folder, "q.txt");
        await File.WriteAllLinesAsync(queries, Enumerable.Range(0, Hosts).Select(i => $"h{i}.ex.test A"));

        var load = await ProgramAsync(
            "dnsperf",
            "-s", "127.0.0.1", "-p", "47053", "-d", queries, "-Q", "2000", "-l", "300", "-c", "50", "-T", "1");
        for (var reload = 1; reload <= Reloads && !load.HasExited; reload++)
        {
            await File.WriteAllTextAsync(file, Dns(reload));
            router.Signal(TestLibc.SigHup);
            var record = await router.RecordAsync("reloaded", reload - 1);
            Assert.Equal(reload + 1, record.GetProperty("revision").GetInt32());
            Assert.NotEqual("", record.GetProperty("keys").GetString());
            await Until.PassedAsync(TimeSpan.FromMilliseconds(50));   // the load goes on between two of them
        }

        Assert.False(load.HasExited, "the load ended before the last reload");
        load.Signal(TestLibc.SigInt);   // ends it, with its report; what is under way then is not lost but interrupted
        Assert.Equal(0, await load.ExitAsync());

        var report = load.Output.ToString();
        Assert.Matches(@"Queries lost:\s+0 ", report);
        Assert.Matches(@"Response codes:\s+NOERROR \d+ \(100.00%\)", report);
        Assert.Empty(router.RecordsOf("reload-refused"));
        Assert.Empty(router.RecordsOf("drops"));
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        Assert.Empty(router.RecordsOf("drops"));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_message_that_waits_for_its_answer_waits_no_longer_than_is_allowed_now()
    {
        string Proxy(string timeout) => $$"""
            router {
              listeners.p { bind = "unixpacket://{{Folder}}/s", route = p, idle-timeout = 1h }
              routes.p {
                type = proxy, upstreams = "unixpacket://{{Folder}}/up", upstream-idle-timeout = {{timeout}}
              }
            }
            """;
        using var server = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(Path.Combine(Folder, "up")));
        server.Listen();
        var file = Path.Combine(Folder, "router.conf");
        await File.WriteAllTextAsync(file, Proxy("1h"));
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening");
        using var client = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Path.Combine(Folder, "s")));
        client.Send("ask"u8);
        using var accepted = await server.AcceptAsync();
        Assert.Equal(3, await accepted.ReceiveAsync(new byte[10]));

        await File.WriteAllTextAsync(file, Proxy("10ms"));
        router.Signal(TestLibc.SigHup);

        var closed = await router.RecordAsync("session-closed");
        Assert.Equal("upstream-failed", closed.GetProperty("reason").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_faulty_file_changes_nothing_and_its_repair_does()
    {
        var file = Path.Combine(Folder, "router.conf");
        await File.WriteAllTextAsync(file, Echo);
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening");
        using var client = await Network.RunAsync(() => Client.Udp(47011));
        await Network.RunAsync(() => Client.Exchange(client, "open"u8));

        await File.WriteAllTextAsync(file, Echo.Replace("type = echo", "type = ecko").Replace("47011", "70000"));
        router.Signal(TestLibc.SigHup);
        var last = await router.RecordAsync("reload-refused", 1);
        Assert.Equal(2, last.GetProperty("faults").GetInt32());
        Assert.All(
            router.RecordsOf("reload-refused"),
            record => Assert.StartsWith(file + ":", record.GetProperty("fault").GetString()));
        Assert.Equal("same"u8.ToArray(), await Network.RunAsync(() => Client.Exchange(client, "same"u8)));

        await File.WriteAllTextAsync(file, Echo.Replace("1h", "10ms") + "\nrouter.log.level = debug");
        router.Signal(TestLibc.SigHup);
        await router.RecordAsync("reloaded");
        var closed = await router.RecordAsync("session-closed");
        Assert.Equal("idle", closed.GetProperty("reason").GetString());
        await Network.RunAsync(() => Client.Exchange(client, "again"u8));
        await router.RecordAsync("session-opened");   // the level followed
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_hangup_never_ends_the_process_before_during_and_after_the_start()
    {
        var file = Path.Combine(Folder, "router.conf");
        await File.WriteAllTextAsync(file, Echo);
        var router = await CommandAsync(["run", "--config", file]);
        await Until.TrueAsync(() => router.HasExited || router.Proc.Catches(TestLibc.SigHup), () => "a signal handler");
        for (var i = 0; i < 50; i++)
        {
            router.Signal(TestLibc.SigHup);   // most of them before it listens
        }

        await router.RecordAsync("listening");
        await router.RecordAsync("reloaded");
        Assert.False(router.HasExited);
        router.Signal(TestLibc.SigTerm);
        router.Signal(TestLibc.SigHup);
        Assert.Equal(0, await router.ExitAsync());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_changed_file_is_read_by_itself_when_that_is_asked_for()
    {
        var file = Path.Combine(Folder, "router.conf");
        await File.WriteAllTextAsync(file, Echo + "\nrouter.reload { on-change = on, debounce = 50ms }");
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening");

        await File.WriteAllTextAsync(file + "~", Echo.Replace("47011", "47012"));
        File.Move(file + "~", file, overwrite: true);

        var record = await router.RecordAsync("reloaded");
        Assert.Equal("file", record.GetProperty("cause").GetString());
        await router.RecordAsync("listener-removed");
        using var client = await Network.RunAsync(() => Client.Udp(47012));
        Assert.Equal("hello"u8.ToArray(), await Network.RunAsync(() => Client.Exchange(client, "hello"u8)));
    }

    /// <summary>Every reload has other upstreams, other limits, and one listener more or less.</summary>
    private static string Dns(int reload) => $$"""
        router {
          listeners {
            dns { bind = "udp://127.0.0.1:47053", route = dns, idle-timeout = {{5 + (reload % 3)}}s }
            {{(reload % 2 == 0 ? "" : More)}}
          }
          routes.dns {
            type = proxy, on-upstream-removed = re-pick, pick = {{(reload % 4 < 2 ? "round-robin" : "least-sessions")}}
            upstreams = [{{(reload % 3 == 0 ? "" : "\"127.0.0.2:48053\", ")}}"127.0.0.{{1 + (2 * (reload % 2))}}:48053"]
          }
        }
        """;

    private async Task ServerAsync(int hosts)
    {
        var zone = "$ORIGIN ex.test.\n$TTL 60\n@ SOA ns.ex.test. admin.ex.test. 1 3600 600 86400 60\n@ NS ns.ex.test.\n"
            + "ns A 127.0.0.1\n" + string.Concat(Enumerable.Range(0, hosts).Select(i => $"h{i} A 10.0.0.{i}\n"));
        await File.WriteAllTextAsync(Path.Combine(Folder, "ex.test.zone"), zone);
        var server = Path.Combine(Folder, "knot.conf");
        await File.WriteAllTextAsync(
            server,
            $"""
            server:
              listen: [127.0.0.1@48053, 127.0.0.2@48053, 127.0.0.3@48053]
              rundir: "{Folder}"
            database:
              storage: "{Folder}"
            zone:
              - domain: ex.test
                storage: "{Folder}"
                file: "ex.test.zone"
            """);
        await ServerAsync("tcp", 48053, "knotd", "-c", server);
    }
}

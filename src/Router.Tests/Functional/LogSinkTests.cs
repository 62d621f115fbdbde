using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The shipped program's sinks, with collectors that nobody here wrote.</summary>
public sealed class LogSinkTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Journald = "/usr/lib/systemd/systemd-journald";
    private const string Template = "%pri-text% %hostname% %app-name% %msgid% %protocol-version% %msg%\\n";
    private const int Port = 47_005;

    private string Log => Path.Combine(Folder, "access.json");

    [RequiresToolTheory(RequiredTools.Namespace, "rsyslogd")]
    [InlineData("imudp", "udp://127.0.0.1:5140")]
    [InlineData("imtcp", "tcp://127.0.0.1:5140")]
    [InlineData("imuxsock", "unixgram://")]
    public async Task Rsyslog_reads_every_message_and_its_header(string module, string address)
    {
        const int Clients = 200;
        var socket = Path.Combine(Folder, "log.sock");
        var written = Path.Combine(Folder, "syslog");
        var input = module == "imuxsock"
            ? $"module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{socket}\" "
                + "UseSpecialParser=\"off\" ParseHostname=\"on\")"
            : $"module(load=\"{module}\")\ninput(type=\"{module}\" address=\"127.0.0.1\" port=\"5140\""
                + $"{(module == "imudp" ? " rcvbufSize=\"4m\"" : "")})";
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "rsyslog.conf"),
            $"""
            global(workDirectory="{Folder}")
            {input}
            template(name="t" type="string" string="{Template}")
            action(type="omfile" file="{written}" template="t")

            """);
        var rsyslogd = await ProgramAsync("rsyslogd", "-n", "-f", Path.Combine(Folder, "rsyslog.conf"), "-i", "NONE");
        await Until.TrueAsync(
            () => module == "imuxsock" ? File.Exists(socket) : rsyslogd.Proc.IsBound(module[2..], 5140),
            () => "rsyslogd does not listen");
        var router = await RouterAsync(
            Echo("sinks = [stdout, syslog], syslog { facility = local3, host-name = edge }"),
            "--set", $"router.log.syslog.address=\"{(module == "imuxsock" ? address + socket : address)}\"");

        await PassAsync(Clients);
        await StopAsync(router);
        string[] lines = [];
        await Until.TrueAsync(
            () => (lines = File.Exists(written) ? File.ReadAllLines(written) : []).Length >= router.Records.Count,
            () => $"rsyslogd has {lines.Length} of {router.Records.Count} lines");

        var closed = lines.Where(static line => line.Contains(" session-closed 1 ", StringComparison.Ordinal)).ToList();
        Assert.Equal(Clients, closed.Count);
        Assert.All(closed, static line =>
            Assert.StartsWith("local3.info edge router session-closed 1 {", line, StringComparison.Ordinal));
        Assert.Equal(
            router.Output.Lines.Order(StringComparer.Ordinal),
            lines.Select(static line => line[line.IndexOf('{', StringComparison.Ordinal)..])
                .Order(StringComparer.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace, "journalctl", "unshare", Journald)]
    public async Task Journald_has_every_field_as_a_variable()
    {
        const int Clients = 50;
        const string Begin = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal && exec ";
        var journald = await ProgramAsync("unshare", "--mount", "sh", "-c", Begin + Journald);
        var root = string.Join('/', "/proc", journald.Id, "root", "run");
        await Until.TrueAsync(() => File.Exists(root + "/systemd/journal/socket"), () => "journald does not listen");
        var router = await RouterAsync(Echo(
            $$"""sinks = [stdout, journal], journal.socket = "unixgram://{{root}}/systemd/journal/socket" """));

        await PassAsync(Clients);
        await StopAsync(router);
        List<JsonElement> entries = [];
        for (var tries = 0; tries < 50 && entries.Count < Clients; tries++)
        {
            var text = await ToolAsync(
                "journalctl",
                ["-D", Directory.GetDirectories(root + "/log/journal")[0], "-o", "json", "--no-pager", "-t", "router",
                    "ROUTER_EVENT=session-closed"]);
            entries = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonSerializer.Deserialize<JsonElement>(line))];
            await Until.PassedAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(
            router.RecordsOf("session-closed").Select(static record => TextOf(record, "session")).Order(),
            entries.Select(static entry => TextOf(entry, "ROUTER_SESSION")).Order());
        var entry = entries[0];
        Assert.Equal(
            ("6", "echo", "5", "shutdown"),
            (TextOf(entry, "PRIORITY"), TextOf(entry, "ROUTER_ROUTE"), TextOf(entry, "ROUTER_BYTES_IN"),
                TextOf(entry, "ROUTER_REASON")));
        Assert.StartsWith("session-closed session=", TextOf(entry, "MESSAGE"), StringComparison.Ordinal);
        Assert.False(entry.TryGetProperty("ROUTER_UPSTREAM", out _));
    }

    /// <summary>As logrotate does it, again and again while sessions end.</summary>
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_file_is_opened_again_after_SIGUSR1_and_no_line_is_lost()
    {
        const int Rounds = 10, Clients = 100;
        var router = await RouterAsync(Echo(
            $$"""sinks = [stdout, file], stdout.lines = events, file { path = "{{Log}}", lines = access }""",
            "idle-timeout = 20ms"));
        for (var round = 0; round < Rounds; round++)
        {
            await PassAsync(Clients);
            File.Move(Log, string.Create(CultureInfo.InvariantCulture, $"{Log}.{round}"));
            router.Signal(TestLibc.SigUsr1);
            var record = await router.RecordAsync("signal", round);
            Assert.Contains(
                "1 log files are opened again", record.GetProperty("effect").GetString()!, StringComparison.Ordinal);
            await Until.TrueAsync(() => File.Exists(Log), () => "the file is not there again");
            Assert.False(router.Proc.Holds(string.Create(CultureInfo.InvariantCulture, $"{Log}.{round}")));
        }

        await StopAsync(router);

        var lines = Directory.GetFiles(Folder, "access.json*").SelectMany(File.ReadAllLines).ToList();
        var closed = router.RecordsOf("stats").Sum(static record => record.GetProperty("closed").GetInt32());
        Assert.InRange(closed, Rounds * Clients / 2, Rounds * Clients);   // a port may come again as the same session
        Assert.Equal(closed, lines.Select(SessionOf).Distinct().Count());
        Assert.Equal(closed, lines.Count);
        Assert.Empty(router.RecordsOf("session-closed"));
    }

    /// <summary>A pipe that nobody reads, a disk without room, a collector that reads nothing.</summary>
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Sinks_that_are_stuck_cost_the_loops_nothing_and_never_the_process()
    {
        const int Clients = 3_000, Collector = 5_141;
        var pipe = Path.Combine(Folder, "pipe");
        Assert.Equal(0, await (await ProgramAsync("mkfifo", pipe)).ExitAsync());
        using var collector = await Network.RunAsync(static () =>
        {
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            server.Bind(Client.Loopback(Collector));
            server.Listen(1);
            return server;
        });
        var file = await RouterProcess.WriteAsync(
            Folder,
            Echo($$"""
                queue = 64
                flush-timeout = 100ms
                stats-interval = 1s
                sinks = [stdout, file, syslog, journal]
                file.path = /dev/full
                syslog.address = "tcp://127.0.0.1:{{Collector}}"
                journal.socket = "unixgram://{{Folder}}/nobody"
                """));
        var command = $"exec {RouterProcess.DotnetPath()} {RouterProcess.Program} run --config {file} > {pipe}";
        var router = await ProgramAsync("sh", "-c", command);
        await using var reader = await Task.Run(() => File.OpenRead(pipe));   // and reads nothing
        await Until.TrueAsync(() => router.Proc.IsBound("udp", Port), () => "the listener's port");

        await PassAsync(Clients);
        await AssertAnswersAsync(static () => Client.Udp(Port));
        router.Signal(TestLibc.SigTerm);

        Assert.Equal(0, await router.ExitAsync());
        foreach (var sink in new[] { "stdout", "file", "journal" })
        {
            Assert.Contains(
                router.Error.Lines,
                line => line.EndsWith($"lines were not written to {sink}", StringComparison.Ordinal));
        }
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_file_that_cannot_be_opened_refuses_the_start()
    {
        var file = await RouterProcess.WriteAsync(Folder, Echo("sinks = file, file.path = /nowhere/log"));

        var router = await CommandAsync(["run", "--config", file]);

        Assert.Equal(2, await router.ExitAsync());
        Assert.StartsWith(
            "log.file: /nowhere/log cannot be opened: ENOENT", Assert.Single(router.Error.Lines),
            StringComparison.Ordinal);
    }

    private static string? TextOf(JsonElement record, string key) => record.GetProperty(key).GetString();

    private static string SessionOf(string line) => TextOf(JsonSerializer.Deserialize<JsonElement>(line), "session")!;

    private static string Echo(string log, string listener = "") => $$"""
        router {
          loops = 1
          log { {{log}} }
          listeners.echo { bind = "udp://127.0.0.1:{{Port}}", route = echo, {{listener}} }
          routes.echo { type = echo }
        }
        """;

    private async Task PassAsync(int clients) => (await Network.RunAsync(() => Enumerable.Range(0, clients)
        .Select(static _ =>
        {
            var client = Client.Udp(Port);
            Client.Exchange(client, "hello"u8);
            return client;
        }).ToList())).ForEach(static client => client.Dispose());

    private static async Task StopAsync(RouterProcess router)
    {
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }
}

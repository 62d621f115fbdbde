using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Child processes per session: servers and clients nobody here wrote, and children that misbehave.</summary>
public sealed class ExecTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 47301;

    [RequiresToolFact(RequiredTools.Namespace, "git")]
    public async Task Git_clones_from_a_daemon_started_for_every_connection()
    {
        await ToolAsync("git", ["init", "-q", "repo"]);
        var bytes = new byte[3_000_000];
        new Random(7).NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(Folder, "repo", "blob"), bytes);
        await ToolAsync("git", ["-C", "repo", "add", "blob"]);
        await ToolAsync(
            "git", ["-C", "repo", "-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-q", "-m", "m"]);
        var router = await RouterAsync(
            Repository.Read("hocon/examples/inetd.conf"),
            "--set", $"repositories=\"{Folder}\"", "--set", "router.routes.git.environment=[\"PATH=/usr/bin:/bin\"]");

        for (var i = 0; i < 2; i++)
        {
            await ToolAsync("git", ["clone", "-q", "git://127.0.0.1:9418/repo", $"clone-{i}"]);
            await ToolAsync("git", ["-C", $"clone-{i}", "fsck", "--strict"]);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(Folder, $"clone-{i}", "blob")));
        }

        Assert.Equal(0, (await router.RecordAsync("child-exited", 1)).GetProperty("status").GetInt32());
        Assert.Equal("upstream", Text(await router.RecordAsync("session-closed", 1), "reason"));
    }

    [RequiresToolFact(RequiredTools.Namespace, "sshd", "ssh", "ssh-keygen")]
    public async Task Ssh_logs_in_to_a_server_started_for_every_connection()
    {
        await ToolAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "host"]);
        await ToolAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "user"]);
        Directory.CreateDirectory("/run/sshd");   // sshd wants it, whoever starts it
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "sshd.conf"),
            $"HostKey {Folder}/host\nAuthorizedKeysFile {Folder}/user.pub\nStrictModes no\nUsePAM no\nPidFile none\n");
        var sshd = RequiredTools.PathOf("sshd");
        var router = await RouterAsync(Config($"[\"{sshd}\", -i, -e, -f, \"{Folder}/sshd.conf\"]"));
        var bytes = string.Concat(Enumerable.Range(0, 200_000).Select(static i => $"{i:D9}\n"));

        var ssh = await ProgramAsync(
            "ssh", "-T", "-p", $"{Port}", "-i", "user", "-F", "none", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=known", "root@127.0.0.1", "cat; echo end; exit 3");
        await ssh.Input.WriteAsync(bytes);
        ssh.Input.Close();

        Assert.Equal(3, await ssh.ExitAsync());   // of the remote command, told after the end of its input
        Assert.Equal(bytes + "end", string.Join('\n', ssh.Output.Lines));
        await router.RecordAsync("child-exited");
        var closed = await router.RecordAsync("session-closed");
        Assert.True(closed.GetProperty("bytes-in").GetInt64() > bytes.Length);
    }

    [RequiresToolFact(RequiredTools.Namespace, "ncat")]
    public async Task A_client_that_ends_its_input_gets_the_answer_to_all_of_it()
    {
        await RouterAsync(Config("[\"/usr/bin/sort\"]"));
        var lines = Enumerable.Range(0, 20_000).Select(i => $"{(i * 7919) % 20_000:D5}").ToList();

        var answer = await ToolAsync(
            "ncat", ["127.0.0.1", $"{Port}"], string.Concat(lines.Select(static line => line + "\n")));

        Assert.Equal(lines.Order(StringComparer.Ordinal), answer.TrimEnd().Split('\n'));
    }

    [RequiresToolFact(RequiredTools.Namespace, "ncat")]
    public async Task The_exit_status_is_recorded_and_the_client_hears_the_last_words()
    {
        var router = await RouterAsync(Config("[\"/bin/sh\", \"-c\", \"echo $PROTO; echo bad >&2; exit 3\"]"));

        Assert.Equal("TCP", (await ToolAsync("ncat", ["--no-shutdown", "127.0.0.1", $"{Port}"])).Trim());

        var exited = await router.RecordAsync("child-exited");
        Assert.Equal((3, 0), (exited.GetProperty("status").GetInt32(), exited.GetProperty("signal").GetInt32()));
        Assert.Equal("bad", Text(await router.RecordAsync("child-stderr"), "text"));
        Assert.Equal("child-failed", Text(await router.RecordAsync("session-closed"), "reason"));
    }

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task A_line_echo_keeps_the_boundaries_of_datagrams()
    {
        await RouterAsync(Repository.Read("hocon/examples/line-echo.conf"));
        Assert.Equal("hello", await ToolAsync("socat", ["-t", "2", "-", "UDP:127.0.0.1:2323"], "hello\n"));

        await Network.RunAsync(() =>
        {
            using var client = Client.Udp(2323);
            var sizes = new[] { 1, 1_400, 9_000, 65_507 };
            foreach (var size in sizes)
            {
                client.Send(new byte[size]);
            }

            var buffer = new byte[65_536];
            Assert.Equal(sizes, sizes.Select(_ => client.Receive(buffer)));
        });
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task No_child_is_started_before_the_peer_returns_its_challenge()
    {
        var router = await RouterAsync(Config("[\"/bin/cat\"]").Replace("tcp://", "udp://", StringComparison.Ordinal));

        await Network.RunAsync(() =>
        {
            using var client = Client.Udp(Port);
            client.Send("hello"u8);
            var buffer = new byte[100];
            var challenge = Encoding.UTF8.GetString(buffer, 0, client.Receive(buffer));
            Assert.StartsWith("challenge ", challenge, StringComparison.Ordinal);
            Assert.Empty(ChildrenOf(router.Id));
            client.Send(Encoding.UTF8.GetBytes(challenge + "hello"));
            Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, client.Receive(buffer)));
            Assert.Single(ChildrenOf(router.Id));
        });
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task When_a_hundred_clients_leave_at_once_every_process_group_is_gone_after_the_grace()
    {
        const int Clients = 100;
        var mark = UniqueSeconds();
        var router = await RouterAsync(Config(
            $"[\"/bin/sh\", \"-c\", \"trap '' TERM; sleep {mark} & sleep {mark} & wait\"]", "max-processes = 100"));
        var descriptors = router.Proc.DescriptorsHeld;
        var clients = await ManyAsync(Clients, _ => Client.Tcp(Port));
        await Until.TrueAsync(() => Sleeping(mark) == 2 * Clients, () => $"{Sleeping(mark)} grandchildren");

        clients.ForEach(Reset);
        await Until.TrueAsync(
            () => ChildrenOf(router.Id).Count == 0 && Sleeping(mark) == 0,
            () => $"{ChildrenOf(router.Id).Count} children, {Sleeping(mark)} grandchildren");

        await AssertDescriptorsAsync(router, descriptors);
        Assert.All(router.RecordsOf("child-exited"), static record =>
            Assert.Equal(9, record.GetProperty("signal").GetInt32()));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_stopping_router_takes_its_children_with_it()
    {
        var mark = UniqueSeconds();
        var router = await RouterAsync(Config(
            $"[\"/bin/sh\", \"-c\", \"trap '' TERM; sleep {mark} & wait\"]"), "--set", "router.drain-timeout=0s");
        using var client = (await ManyAsync(1, _ => Client.Tcp(Port)))[0];
        await Until.TrueAsync(() => Sleeping(mark) == 1, () => "no grandchild");

        router.Signal(TestLibc.SigTerm);

        Assert.Equal(0, await router.ExitAsync());
        Assert.Equal(0, Sleeping(mark));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_stopping_router_waits_for_children_of_listeners_that_a_reload_removed()
    {
        const string Echo = "\nrouter { listeners.e { bind = \"udp://127.0.0.1:47009\", route = e }, "
            + "routes.e { type = echo }, drain-timeout = 0s }";
        var mark = UniqueSeconds();
        var file = await RouterProcess.WriteAsync(
            Folder,
            Config($"[\"/bin/sh\", \"-c\", \"trap '' TERM; sleep {mark} & wait\"]", "grace = 4s") + Echo);
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening", 1);
        using var client = (await ManyAsync(1, _ => Client.Tcp(Port)))[0];
        await Until.TrueAsync(() => Sleeping(mark) == 1, () => "no grandchild");

        await File.WriteAllTextAsync(file, Echo);
        router.Signal(TestLibc.SigHup);
        await router.RecordAsync("reloaded");
        router.Signal(TestLibc.SigTerm);

        Assert.Equal(0, await router.ExitAsync());
        Assert.Equal(0, Sleeping(mark));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_child_that_floods_its_standard_error_harms_nobody()
    {
        var router = await RouterAsync(
            $$"""
            router {
              listeners.flood { bind = "tcp://127.0.0.1:{{Port}}", route = flood }
              listeners.echo { bind = "tcp://127.0.0.1:47302", route = echo }
              routes.flood { type = exec, command = ["/bin/sh", "-c", "exec yes flood >&2"], grace = 1s }
              routes.echo.type = echo
            }
            """);
        var clients = await ManyAsync(3, _ => Client.Tcp(Port));
        var said = await router.RecordAsync("child-stderr", 35);   // the second second

        Assert.Equal("flood", Text(said, "text"));
        await AssertAnswersAsync(() => Client.Tcp(47302));
        clients.ForEach(Reset);
        await Until.TrueAsync(() => ChildrenOf(router.Id).Count == 0, () => "the flood goes on");
        Assert.All(router.RecordsOf("child-exited"), static record =>
            Assert.InRange(record.GetProperty("suppressed").GetInt64(), 1, long.MaxValue));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_program_that_has_gone_resets_the_client_and_is_recorded()
    {
        var program = Path.Combine(Folder, "program");
        File.Copy("/bin/cat", program);
        var router = await RouterAsync(Config($"[\"{program}\"]"));
        File.Delete(program);

        await Network.RunAsync(() =>
        {
            using var client = Client.Tcp(Port);
            var reset = Assert.Throws<SocketException>(() => client.Receive(new byte[1]));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        });

        var record = await router.RecordAsync("child-not-started");
        Assert.StartsWith("ENOENT, No such file", Text(record, "error"), StringComparison.Ordinal);
        Assert.Equal("upstream-failed", Text(await router.RecordAsync("session-closed"), "reason"));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_client_that_does_not_read_stops_its_child()
    {
        var router = await RouterAsync(Config("[\"/usr/bin/head\", \"-c\", \"100000000\", \"/dev/zero\"]"));
        using var client = (await ManyAsync(1, _ => Client.Tcp(Port)))[0];
        await Until.TrueAsync(() => ChildrenOf(router.Id).Count == 1, () => "no child");
        var child = new ProcFiles(ChildrenOf(router.Id)[0]);
        long read = -1;
        await Until.TrueAsync(() => read == (read = child.BytesRead), () => "it does not stop");
        Assert.InRange(read, 0, 50_000_000);

        await Network.RunAsync(() =>
        {
            var buffer = new byte[1 << 20];
            long received = 0;
            int count;
            while ((count = client.Receive(buffer)) > 0)
            {
                received += count;
            }

            Assert.Equal(100_000_000, received);
        });
    }

    private static string Config(string command, string more = "") =>
        $$"""
        router {
          listeners.child { bind = "tcp://127.0.0.1:{{Port}}", route = child }
          routes.child { type = exec, command = {{command}}, grace = 1s, {{more}} }
        }
        """;

    private static string? Text(System.Text.Json.JsonElement record, string key) =>
        record.GetProperty(key).GetString();

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, 0);
        socket.Dispose();
    }

    /// <summary>Seconds to sleep that no other process of this machine has asked for.</summary>
    private static int UniqueSeconds() => 10_000_000 + Environment.ProcessId;

    /// <summary>Processes that sleep(1) so long.</summary>
    private static int Sleeping(int seconds)
    {
        var commandLine = string.Create(CultureInfo.InvariantCulture, $"sleep\0{seconds}\0");
        return Processes().Count(process => Read(process, "cmdline") == commandLine);
    }

    /// <summary>Children of a process, those that nobody has waited for too.</summary>
    private static List<int> ChildrenOf(int parent) =>
        [.. Processes().Where(process =>
            Read(process, "stat") is { Length: > 0 } stat
            && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == parent.ToString(CultureInfo.InvariantCulture))];

    private static IEnumerable<int> Processes() =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)
        select int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);

    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/{file}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";   // it ended meanwhile
        }
    }
}

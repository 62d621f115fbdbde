using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Exit codes: 0 ok, 1 refused configuration, 2 could not bind, 64 wrong command line.</summary>
[Collection(ProgramTests.Name)]
public sealed class CommandLineTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Echo =
        """
        router {
          loops = 2
          listeners.first { bind = ["udp://127.0.0.1:47001", "tcp://127.0.0.1:47001"], route = echo }
          routes.echo { type = echo }
        }
        """;

    private const int FirstUnprivilegedPort = 1024;

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("check", 0)]
    [InlineData("config show --json", 0)]
    [InlineData("--version", 0)]
    [InlineData("check --config absent.conf", 1)]
    [InlineData("run --set router.loops=0", 1)]
    [InlineData("run --set router.no-such-key=1", 1)]
    [InlineData("walk", 64)]
    [InlineData("run --no-such-option", 64)]
    [InlineData("run --set loops", 64)]
    public async Task The_exit_code_tells_what_is_wrong(string arguments, int exitCode)
    {
        var command = await CommandAsync(arguments.Split(' '));

        Assert.Equal(exitCode, await command.ExitAsync());
        Assert.Equal(exitCode == 0, command.Error.Lines.Count == 0);
        Assert.Equal(exitCode == 0, command.Output.Lines.Any(line => line.Length > 0));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Check_names_every_fault_with_its_file_and_line()
    {
        var file = await RouterProcess.WriteAsync(
            Folder,
            """
            router {
              listeners.first { bind = "udp://127.0.0.1:47001", route = ecko, idel-timeout = 5s }
              routes.echo { type = echo }
            }
            """);

        var check = await CommandAsync(["check", "--config", file]);

        Assert.Equal(1, await check.ExitAsync());
        Assert.Equal(2, check.Error.Lines.Count);
        Assert.All(check.Error.Lines, line => Assert.StartsWith(file + ":2", line, StringComparison.Ordinal));
        Assert.Contains(check.Error.Lines, line => line.Contains("ecko", StringComparison.Ordinal));
        Assert.Contains(check.Error.Lines, line => line.Contains("idle-timeout", StringComparison.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_second_instance_is_refused_although_loops_share_their_port()
    {
        var first = await RouterAsync(Echo);
        var file = await RouterProcess.WriteAsync(Folder, Echo);

        var second = await CommandAsync(["run", "--config", file]);

        Assert.Equal(2, await second.ExitAsync());
        Assert.Equal(2, second.Error.Lines.Count);
        Assert.Contains(second.Error.Lines, line => line.Contains("tcp://127.0.0.1:47001", StringComparison.Ordinal));
        Assert.Contains(second.Error.Lines, line => line.Contains("udp://127.0.0.1:47001", StringComparison.Ordinal));
        Assert.All(second.Error.Lines, line => AssertTells(line, "first", "EADDRINUSE", "Address already in use"));
        Assert.DoesNotContain(second.Records, record => record.GetProperty("event").GetString() == "listening");
        Assert.False(first.HasExited);
    }

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task A_port_in_use_by_another_program_is_named()
    {
        const string Address = "udp://127.0.0.1:47009";
        await ServerAsync("udp", 47009, "socat", "-u", "UDP-RECV:47009,bind=127.0.0.1", "/dev/null");

        AssertTells(await RefusalAsync(Address), Address, "EADDRINUSE", "Address already in use");
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("udp://127.0.0.1:53")]
    [InlineData("tcp://127.0.0.1:53")]
    public async Task A_privileged_port_is_named(string address)
    {
        await Network.SetAsync("ipv4.ip_unprivileged_port_start", $"{FirstUnprivilegedPort}");

        // Root without this one right: as any user, but sure to be able to read the program.
        const string Right = "-net_bind_service";
        var line = await RefusalAsync(address, "--bounding-set", Right, "--inh-caps", Right);

        AssertTells(line, address, "EACCES", "Permission denied");
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("udp://192.0.2.1:47001")]
    [InlineData("tcp://[2001:db8::1]:47001")]
    public async Task An_address_that_is_not_local_is_named(string address) =>
        AssertTells(await RefusalAsync(address), address, "EADDRNOTAVAIL", "Cannot assign requested address");

    /// <summary>Runs with one listener on the address and expects to be refused.</summary>
    /// <returns>The one line it wrote.</returns>
    private async Task<string> RefusalAsync(string address, params string[] privileges)
    {
        var file = await RouterProcess.WriteAsync(
            Folder,
            $$"""
            router {
              listeners.only { bind = "{{address}}", route = hole }
              routes.hole { type = proxy, upstreams = ["127.0.0.1:9"] }
            }
            """);
        var router = await CommandAsync(["run", "--config", file], privileges);

        Assert.Equal(2, await router.ExitAsync());
        return Assert.Single(router.Error.Lines);
    }

    /// <summary>The words, and after the error's text what to do about it.</summary>
    private static void AssertTells(string line, params string[] words)
    {
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
        var advice = line[(line.IndexOf(words[^1], StringComparison.Ordinal) + words[^1].Length)..];
        Assert.InRange(advice.Length, 20, 300);
    }
}

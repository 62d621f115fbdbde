using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What the README shows first, as it shows it.</summary>
[Collection(ProgramTests.Name)]
public sealed class ReadmeTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task The_built_in_configuration_listens_on_loopback_and_says_where()
    {
        var router = await RouterAsync(null);

        var addresses = router.RecordsOf("listening").Select(record => record.GetProperty("address").GetString());
        Assert.Equal(
            ["tcp://127.0.0.1:27123", "udp://127.0.0.1:2210", "udp://127.0.0.1:27123"],
            addresses.Order(StringComparer.Ordinal));
        Assert.All(router.RecordsOf("listening"), record =>
        {
            var isUdp = record.GetProperty("address").GetString()!.StartsWith("udp", StringComparison.Ordinal);
            var granted = record.GetProperty(isUdp ? "receive-buffer-granted" : "backlog-granted").GetInt32();
            Assert.InRange(granted, 1, int.MaxValue);
        });
        var started = await router.RecordAsync("started");
        Assert.Equal(router.Id, started.GetProperty("pid").GetInt32());
        Assert.Equal("sustained-low-latency", started.GetProperty("collector").GetString());
    }

    [RequiresToolTheory(RequiredTools.Namespace, "ncat")]
    [InlineData("127.0.0.1 27123", "hello", "hello")]
    [InlineData("-u 127.0.0.1 27123", "hello", "hello")]
    [InlineData("-u 127.0.0.1 2210", "anyone?", "I hear you")]
    public async Task Ncat_gets_its_answer(string arguments, string sent, string answer)
    {
        await RouterAsync(null);

        var ncat = await ProgramAsync("ncat", arguments.Split(' '));
        await ncat.Input.WriteLineAsync(sent);
        await ncat.Input.FlushAsync();

        await (answer == sent
            ? ncat.Output.WaitAsync(line => line == answer)
            : AnswerWithoutLineEndAsync(ncat, answer));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "socat")]
    [InlineData("UDP:127.0.0.1:27123", "hello\n", "hello")]
    [InlineData("TCP:127.0.0.1:27123", "hello\n", "hello")]
    [InlineData("UDP:127.0.0.1:2210", "anyone?\n", "I hear you")]
    public async Task Socat_gets_its_answer(string address, string sent, string answer)
    {
        await RouterAsync(null);

        Assert.Equal(answer, await ToolAsync("socat", ["-t", "1", "-", address], sent));
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData(TestLibc.SigInt)]
    [InlineData(TestLibc.SigTerm)]
    public async Task A_signal_ends_it_with_exit_code_0(int signal)
    {
        var router = await RouterAsync(null);

        router.Signal(signal);

        Assert.Equal(0, await router.ExitAsync());
        var ending = router.Records.Select(record => record.GetProperty("event").GetString()).TakeLast(3);
        Assert.Equal(["draining", "stats", "stopped"], ending);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Open_sessions_are_closed_when_the_drain_timeout_has_passed()
    {
        var router = await RouterAsync(null, "--set", "router.drain-timeout=1s");
        using var udp = await Network.RunAsync(() => Client.Udp(27123));
        using var tcp = await Network.RunAsync(() => Client.Tcp(27123));
        Client.Exchange(udp, "open"u8);
        Client.Exchange(tcp, "open"u8);

        router.Signal(TestLibc.SigInt);

        Assert.Equal(0, await router.ExitAsync());
        var stopped = await router.RecordAsync("stopped");
        Assert.Equal(1, stopped.GetProperty("closed").GetInt64());     // the connection: its peer might have ended it
        Assert.Equal(1, stopped.GetProperty("finished").GetInt64());   // datagrams: every one is answered
        var reasons = router.RecordsOf("session-closed").Select(record => record.GetProperty("reason").GetString());
        Assert.Equal(["shutdown", "shutdown"], reasons);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_second_signal_ends_it_at_once()
    {
        var router = await RouterAsync(null, "--set", "router.drain-timeout=1h");
        using var tcp = await Network.RunAsync(() => Client.Tcp(27123));
        Client.Exchange(tcp, "open"u8);

        router.Signal(TestLibc.SigInt);
        await router.RecordAsync("draining");
        var progress = await router.RecordAsync("drain-progress");
        Assert.Equal(1, progress.GetProperty("sessions").GetInt32());
        Assert.Equal(JsonValueKind.Null, progress.GetProperty("identities").ValueKind);   // no member of a cluster
        Assert.False(router.HasExited);
        router.Signal(TestLibc.SigInt);

        Assert.NotEqual(0, await router.ExitAsync(TimeSpan.FromSeconds(5)));
    }

    private async Task AnswerWithoutLineEndAsync(RunningProcess program, string answer)
    {
        // The reply has no line end, so the line is complete when the program has gone.
        await Until.TrueAsync(
            () => program.Proc.Counter("Udp", "InDatagrams") >= 2, () => "the reply's arrival");
        program.Signal(TestLibc.SigTerm);
        await program.ExitAsync();
        Assert.Equal(answer, program.Output.ToString());
    }
}

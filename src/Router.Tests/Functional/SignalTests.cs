using System.ComponentModel;
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What signals do to the shipped program: docs/errors.md lists them.</summary>
public sealed class SignalTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Tracer = "strace";

    private const string Echo = """
        router { loops = 1, listeners.a { bind = "udp://127.0.0.1:5300", route = b }, routes.b { type = echo } }
        """;

    private string Collected => Path.Combine(Folder, "collected.jsonl");

    /// <summary>The command line is read by System.CommandLine: a signal that comes when that is opened comes before
    /// anything else is done.</summary>
    [RequiresToolFact(RequiredTools.Namespace, Tracer)]
    public async Task SIGHUP_before_anything_else_is_remembered()
    {
        var library = Path.Combine(AppContext.BaseDirectory, "System.CommandLine.dll");
        var router = await SignalledAsync("HUP", library);

        await router.RecordAsync("listening");
        await router.RecordAsync("reloaded");
    }

    [RequiresToolTheory(RequiredTools.Namespace, Tracer)]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_stop_before_anything_is_bound_is_an_orderly_end(string signal)
    {
        var router = await SignalledAsync(signal, null);

        Assert.Equal(0, await router.ExitAsync());
        Assert.Empty(router.RecordsOf("listening"));
        Assert.Empty(router.Error.Lines);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task SIGUSR1_gives_files_back_which_the_next_window_opens_again()
    {
        var router = await RouterAsync(Collecting());
        using var client = await Network.RunAsync(static () => Client.Udp(5300));
        client.Send("one"u8);
        await Until.TrueAsync(() => File.Exists(Collected) && IsWritten(Collected, "one"), () => "not written");
        File.Move(Collected, Collected + ".old");
        Assert.True(router.Proc.Holds(Collected + ".old"));

        router.Signal(TestLibc.SigUsr1);
        var record = await router.RecordAsync("signal");

        Assert.Equal("SIGUSR1", record.GetProperty("signal").GetString());
        Assert.StartsWith("1 files", record.GetProperty("effect").GetString(), StringComparison.Ordinal);
        Assert.False(router.Proc.Holds(Collected + ".old"));
        client.Send("two"u8);
        await Until.TrueAsync(() => File.Exists(Collected) && IsWritten(Collected, "two"), () => "not written");
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task SIGUSR2_does_nothing_and_is_logged()
    {
        var router = await RouterAsync(Echo);

        router.Signal(TestLibc.SigUsr2);
        var record = await router.RecordAsync("signal");

        Assert.Equal(("SIGUSR2", "nothing"),
            (record.GetProperty("signal").GetString(), record.GetProperty("effect").GetString()));
        await AssertAnswersAsync(static () => Client.Udp(5300));
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }

    /// <summary>The system's answer to a write beyond RLIMIT_FSIZE is SIGXFSZ, which ends a process.</summary>
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_file_that_may_not_grow_fails_its_sink_and_not_the_router()
    {
        var router = await RouterAsync(Collecting());
        var limit = new TestLibc.Limit { Soft = 100, Hard = 100 };
        if (TestLibc.SetLimit(router.Id, TestLibc.ResourceFileSize, in limit, out _) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        using var client = await Network.RunAsync(static () => Client.Udp(5300));
        client.Send("more than a hundred bytes, as a line of JSON"u8);
        var record = await router.RecordAsync("collect-failed");

        Assert.Contains("too large", record.GetProperty("error").GetString()!, StringComparison.OrdinalIgnoreCase);
        Assert.False(router.HasExited);
    }

    private static bool IsWritten(string path, string text) =>
        File.ReadAllText(path).Contains(text, StringComparison.Ordinal);

    private string Collecting() => $$"""
        router {
          loops = 1
          listeners.a { bind = "udp://127.0.0.1:5300", route = b }
          routes.b { type = collect, to = file, file.path = "{{Collected}}", count = 1 }
        }
        """;

    /// <summary>Has the kernel's tracer send a signal when the program opens a file; null for its configuration.
    /// </summary>
    private async Task<RouterProcess> SignalledAsync(string signal, string? path)
    {
        var config = await RouterProcess.WriteAsync(Folder, Echo);
        return await CommandAsync(
            ["run", "--config", config],
            surroundings:
            [
                Tracer, "-D", "-f", "-qq", "-o", "/dev/null", "-P", path ?? config, "-e", "trace=openat",
                "-e", $"inject=openat:signal={signal}:when=1",
            ]);
    }
}

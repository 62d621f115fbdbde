using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary><c>router top</c> of the shipped program, on a terminal of tmux and without one.</summary>
[Collection(ProgramTests.Name)]
public sealed class TopTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    [RequiresToolFact(RequiredTools.Namespace, "tmux")]
    public async Task On_a_terminal_a_session_is_found_opened_and_closed()
    {
        var router = await RouterAsync(null, "--set", "router.log.level=debug");
        await router.RecordAsync("admin-listening");
        using var peer = await Network.RunAsync(static () => Client.Udp(27123));
        Client.Exchange(peer, "hello"u8);
        var socket = Path.Combine(Folder, "tmux");
        await TmuxAsync(socket, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "top",
            $"env LANG=C.UTF-8 {RouterProcess.DotnetPath()} {RouterProcess.Program} top");
        try
        {
            await ShownAsync(socket, $"{peer.LocalEndPoint} ");
            await TmuxAsync(socket, "send-keys", "-t", "top", "j", "Enter");
            await ShownAsync(socket, "opened-at");
            await TmuxAsync(socket, "send-keys", "-t", "top", "c");
            await ShownAsync(socket, "y closes it");
            await TmuxAsync(socket, "send-keys", "-t", "top", "y");
            await router.RecordAsync("admin-changed");
            await ShownAsync(socket, "is closed");
        }
        finally
        {
            await TmuxAsync(socket, "kill-server");
        }
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_a_terminal_it_prints_once_from_a_router_and_from_its_log()
    {
        var router = await RouterAsync(null, "--set", "router.log.stats-interval=1s");
        using var peer = await Network.RunAsync(static () => Client.Udp(27123));
        Client.Exchange(peer, "hello"u8);
        await router.RecordAsync("stats");

        var live = await CommandAsync(["top"]);
        Assert.Equal(0, await live.ExitAsync());
        Assert.Contains(live.Output.Lines, line => line.StartsWith($"{peer.LocalEndPoint} ", StringComparison.Ordinal));
        Assert.Contains(live.Output.Lines, static line => line.Contains(" stats ", StringComparison.Ordinal));

        var file = Path.Combine(Folder, "router.log");
        await File.WriteAllLinesAsync(file, router.Output.Lines);
        var replayed = await CommandAsync(["top", "--log", file]);
        Assert.Equal(0, await replayed.ExitAsync());
        Assert.Contains("router.log: the end", replayed.Output.ToString(), StringComparison.Ordinal);
        Assert.Contains(replayed.Output.Lines, static line => line.StartsWith("echo ", StringComparison.Ordinal));
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("top", 69)]
    [InlineData("top --log absent.log", 64)]
    [InlineData("top --json", 64)]
    [InlineData("top --speed 0", 64)]
    public async Task What_is_wrong_is_told(string arguments, int exitCode)
    {
        var command = await CommandAsync(arguments.Split(' '));

        Assert.Equal(exitCode, await command.ExitAsync());
        Assert.NotEmpty(command.Error.Lines);
    }

    private async Task<string> TmuxAsync(string socket, params string[] arguments) =>
        await ToolAsync("tmux", ["-S", socket, .. arguments]);

    private async Task ShownAsync(string socket, string text)
    {
        var shown = "";
        for (var looks = 0; looks < 100; looks++)
        {
            shown = await TmuxAsync(socket, "capture-pane", "-p", "-t", "top");
            if (shown.Contains(text, StringComparison.Ordinal))
            {
                return;
            }

            await Until.PassedAsync(LookEvery);
        }

        Assert.Fail($"'{text}' is not shown:\n{shown}");
    }
}

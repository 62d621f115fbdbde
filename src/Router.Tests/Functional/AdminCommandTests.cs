using System.Text.RegularExpressions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The commands that ask a running router, as docs/admin.md shows them, with the shipped program.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class AdminCommandTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Every_command_of_the_page_works_as_it_stands()
    {
        await RouterAsync(null);
        using var client = await Network.RunAsync(static () => Client.Tcp(27123));
        Assert.Equal("hello"u8.ToArray(), Client.Exchange(client, "hello"u8));
        var lines = Line().Matches(Repository.Read("docs/admin.md"))
            .Select(static line => line.Groups[1].Value)
            .ToList();
        Assert.True(lines.Count >= 6);

        var id = "";
        foreach (var line in lines)
        {
            var command = await CommandAsync(line.Replace("$ID", id, StringComparison.Ordinal).Split(' '));
            Assert.True(await command.ExitAsync() == 0, $"router {line}:\n{command.Output}\n{command.Error}");
            if (Id().Match(command.Output.ToString()) is { Success: true } found)
            {
                id = found.Value;
            }
        }
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_a_router_a_command_ends_with_69()
    {
        var command = await CommandAsync(["ready"]);

        Assert.Equal(69, await command.ExitAsync());
        Assert.Contains("is a router running", command.Error.ToString(), StringComparison.Ordinal);
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData(TestLibc.SigInt)]
    [InlineData(TestLibc.SigTerm)]
    public async Task A_trace_that_is_interrupted_ends(int signal)
    {
        var router = await RouterAsync(null);
        var trace = await CommandAsync(["trace", "127.0.0.0/8"]);
        await router.RecordAsync("admin-changed");

        trace.Signal(signal);

        Assert.Equal(130, await trace.ExitAsync());
        await router.RecordAsync("session-trace-ended");
        Assert.Equal("", trace.Error.ToString());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_follows_the_log_ends_when_nobody_reads_it_any_more()
    {
        await RouterAsync(null);
        var program = $"'{RouterProcess.DotnetPath()}' '{RouterProcess.Program}'";
        var first = await ProgramAsync("bash", "-c",
            $"{program} events --follow --last 1 | head -n 1; echo \"ended ${{PIPESTATUS[0]}}\"");
        await Until.TrueAsync(() => first.Output.Lines.Count > 0, () => $"no event: {first.Error}");

        Assert.Equal(0, await (await CommandAsync(["log-level", "info"])).ExitAsync());   // an event more

        Assert.Equal(0, await first.ExitAsync());
        Assert.Equal("ended 141", first.Output.Lines[^1]);
        Assert.Equal("", first.Error.ToString());
    }

    /// <summary>Those of section Commands, drain the last of them.</summary>
    [GeneratedRegex("^    router (.+)$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();

    [GeneratedRegex("^[0-9a-f]{24,}", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();
}

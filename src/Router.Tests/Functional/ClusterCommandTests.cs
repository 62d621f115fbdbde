using System.Globalization;
using System.Text.RegularExpressions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The commands that ask a cluster at one of its members, as docs/cluster.md shows them, with the shipped
/// program.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class ClusterCommandTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace, "curl")]
    public async Task Every_line_of_the_page_works_as_it_stands_and_a_reload_stops_at_who_refuses()
    {
        var first = await MemberAsync(1, "admin.bind = \"127.0.0.1:27124\"");
        var second = await MemberAsync(2, "");
        await first.Router.RecordAsync("member-up", index: 1);
        await second.Router.RecordAsync("member-up", index: 1);
        await first.Router.RecordAsync("fence-open");
        await second.Router.RecordAsync("fence-open");
        using var client = await Network.RunAsync(static () => Client.Udp(47002));
        await Until.TrueAsync(() => IsAnswered(client), () => "the device is not attached");
        var page = Repository.Read("docs/cluster.md").Split("\n## ").Single(static part =>
            part.StartsWith("Looking at it", StringComparison.Ordinal));
        var lines = Line().Matches(page).Select(static line => line.Groups[1].Value).ToList();
        Assert.Equal(10, lines.Count);

        foreach (var line in lines)
        {
            var isCurl = line.StartsWith("curl", StringComparison.Ordinal);
            var text = isCurl
                ? await ToolAsync("bash", ["-c", line.Replace("curl ", "curl -sS --fail ", StringComparison.Ordinal)])
                : await RunAsync(line["router ".Length..], exit: 0);
            Assert.Contains(line.Contains("reload", StringComparison.Ordinal) ? "done" : "127.0.0.2:27200", text,
                StringComparison.Ordinal);
        }

        await File.AppendAllTextAsync(second.File, "router.no-such-key = 1\n");
        var refused = await RunAsync("cluster reload", exit: 1);

        Assert.StartsWith("127.0.0.1:27200 done\n127.0.0.2:27200 refused; faults: ", refused, StringComparison.Ordinal);
        Assert.Contains("no-such-key", refused, StringComparison.Ordinal);
        Assert.Equal(
            "refused", (await second.Router.RecordAsync("admin-changed", index: 2)).GetProperty("outcome").GetString());
    }

    /// <summary>As long as its member is not ready it says nothing.</summary>
    private static bool IsAnswered(System.Net.Sockets.Socket client)
    {
        client.Send("device-42"u8);
        return client.Poll(TimeSpan.FromMilliseconds(100), System.Net.Sockets.SelectMode.SelectRead);
    }

    private async Task<string> RunAsync(string arguments, int exit)
    {
        var command = await CommandAsync(arguments.Split(' '));
        Assert.True(await command.ExitAsync() == exit, $"router {arguments}:\n{command.Output}\n{command.Error}");
        return $"{command.Output}";
    }

    private async Task<(RouterProcess Router, string File)> MemberAsync(int number, string keys)
    {
        var file = await RouterProcess.WriteAsync(
            Folder,
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                router {
                  loops = 1
                  {{keys}}
                  cluster { host = 127.0.0.{{number}}, seeds = ["127.0.0.1:27200", "127.0.0.2:27200"] }
                  listeners.count {
                    bind = "udp://127.0.0.1:4700{{number}}", route = count
                    identity { first-line = "^([\\w-]+)" }
                  }
                  routes.count { type = handler, class = "Router.Tests.Cluster.CountingHandler, Router.Tests" }
                }

                """));
        return (await CommandAsync(["run", "--config", file]), file);
    }

    [GeneratedRegex("^    ((?:router|curl) .+)$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();
}

using System.Text.RegularExpressions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The questions of docs/operations.md, each asked of a router that has had a night of it.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class OperationsTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Config = """
        router {
          loops = 1, admin.bind = "127.0.0.1:27124"
          listeners.echo { bind = ["udp://127.0.0.1:27123", "tcp://127.0.0.1:27123"], route = echo, max-sessions = 2 }
          listeners.web { bind = "tcp://127.0.0.1:5300", route = web }
          routes.echo.type = echo
          routes.web { type = proxy, upstreams = ["127.0.0.1:5400", "127.0.0.1:5401"], pick = round-robin }
        }
        """;

    [RequiresToolFact(RequiredTools.Namespace, "curl")]
    public async Task Each_command_of_the_page_prints_the_words_that_it_says()
    {
        await RouterAsync("""
            router { loops = 1, listeners.a { bind = "tcp://127.0.0.1:5400", route = b }, routes.b.type = echo }
            """);
        var router = await RouterAsync(Config);
        var questions = Question().Matches(Repository.Read("docs/operations.md"));
        Assert.Equal(20, questions.Count);
        using var one = await Network.RunAsync(static () => Client.Udp(27123));
        using var two = await Network.RunAsync(static () => Client.Udp(27123));
        using var tooMany = await Network.RunAsync(static () => Client.Udp(27123));
        Assert.All([one, two], static client => Client.Exchange(client, "hello"u8));
        tooMany.Send("hello"u8);
        await router.RecordAsync("admin-listening");
        await ToolAsync("curl", ["-sS", "http://127.0.0.1:27124/metrics"]);   // from here on connects are timed
        for (var proxied = 0; proxied < 2; proxied++)   // one of its upstreams is down
        {
            using var client = await Network.RunAsync(static () => Client.Tcp(5300));
            Assert.Equal("hello"u8.ToArray(), Client.Exchange(client, "hello"u8));
        }

        await router.RecordAsync("session-closed", 1);
        var id = "";
        foreach (var question in questions.Cast<Match>())
        {
            var line = question.Groups["command"].Value.Replace("$ID", id, StringComparison.Ordinal);
            var said = await SayAsync(line);
            Assert.All(Word().Matches(question.Groups["answer"].Value), word =>
                Assert.True(
                    said.Contains(word.Groups[1].Value, StringComparison.Ordinal),
                    $"{line}\ndoes not print '{word.Groups[1].Value}':\n{said}"));
            id = id.Length == 0 && Id().Match(said) is { Success: true } found ? found.Groups[1].Value : id;
        }
    }

    private async Task<string> SayAsync(string line)
    {
        if (!line.StartsWith("router ", StringComparison.Ordinal))
        {
            return await ToolAsync("bash", ["-c", line]);
        }

        var file = Path.Combine(Folder, "checked.conf");
        await File.WriteAllTextAsync(file, Config);
        var command = await CommandAsync(
            line["router ".Length..].Replace("/etc/router/router.conf", file, StringComparison.Ordinal).Split(' '));
        Assert.True(await command.ExitAsync() == 0, $"{line}:\n{command.Output}\n{command.Error}");
        return command.Output.ToString();
    }

    [GeneratedRegex(
        @"^## \d+\. .+\n\n    (?<command>.+)\n\n(?<answer>(?:.+\n)+)", RegexOptions.Multiline,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Question();

    [GeneratedRegex(@"\*\*([^*]+)\*\*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();

    [GeneratedRegex(@"^\s*(?:session\s+)?([0-9a-f]{32})", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();
}

using System.Text.RegularExpressions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The commands that ask a running router, as docs/admin.md shows them, with the shipped program.</summary>
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

    /// <summary>Those of section Commands, drain the last of them.</summary>
    [GeneratedRegex("^    router (.+)$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();

    [GeneratedRegex("^[0-9a-f]{24,}", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();
}

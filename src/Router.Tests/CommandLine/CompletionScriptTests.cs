using Router.CommandLine;
using Router.TestKit.Simulation;

namespace Router.Tests.CommandLine;

/// <summary>The scripts have all commands and options; a real bash runs one in CompletionTests.</summary>
public sealed class CompletionScriptTests
{
    [Theory]
    [InlineData("bash", "'router events --level') _router_add -W 'debug error info warning'; return ;;")]
    [InlineData("bash", "'router run --config') compopt -o filenames; _router_add -f; return ;;")]
    [InlineData("bash", "'router run --set') return ;;")]
    [InlineData("zsh", "'router run --config') _files; return ;;")]
    [InlineData("zsh", "'--follow:Goes on with the events that come, until the router ends'")]
    [InlineData("zsh", ") at=\"$at $words[i]\" ;;")]
    [InlineData("fish", "-n '__router_at \"router\"' -a events -d 'Prints the latest log events of a running router,")]
    [InlineData("fish", "-n '__router_at \"router sessions\"' -l sort -x -a 'age bytes id idle payloads rate' -d ")]
    [InlineData("fish", "-n '__router_at \"router check\"' -l config -r -F -d ")]
    public async Task A_script_has_what_the_commands_have(string shell, string expected) =>
        Assert.Contains(expected, await ScriptAsync(shell), StringComparison.Ordinal);

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Every_command_of_the_help_is_in_the_script(string shell)
    {
        var script = await ScriptAsync(shell);
        foreach (var command in (string[])["run", "check", "config show", "cluster certificates", "top", "completion"])
        {
            var quote = shell == "fish" ? '"' : '\'';
            Assert.Contains($"{quote}router {command}{quote}", script, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("completion")]
    [InlineData("completion tcsh")]
    public async Task Another_shell_is_a_wrong_command_line(string command)
    {
        using var error = new StringWriter();
        Assert.Equal(64, await InvokeAsync(command, TextWriter.Null, error));
        Assert.NotEqual("", error.ToString());
    }

    private static async Task<string> ScriptAsync(string shell)
    {
        using var output = new StringWriter();
        Assert.Equal(0, await InvokeAsync($"completion {shell}", output, TextWriter.Null));
        return output.ToString();
    }

    private static Task<int> InvokeAsync(string command, TextWriter output, TextWriter error) =>
        new RouterCommand(output, error, static (_, _, _) => Task.FromResult(0), new VirtualTimeProvider())
            .InvokeAsync(command.Split(' '));
}

using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What a real bash completes by the script of <c>router completion bash</c>.</summary>
[Collection(ProgramTests.Name)]
public sealed class CompletionTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace, "bash")]
    public async Task Bash_completes_commands_options_values_and_files()
    {
        var printed = await CommandAsync(["completion", "bash"]);
        Assert.Equal(0, await printed.ExitAsync());
        await File.WriteAllTextAsync(Path.Combine(Folder, "router.bash"), printed.Output.ToString());
        await File.WriteAllTextAsync(Path.Combine(Folder, "some file.conf"), "");
        (string Words, string Expected)[] cases =
        [
            ("router ev", "events"),
            ("router config ", "show --help"),
            ("router config show --us", "--user"),
            ("router events --fol", "--follow"),
            ("router events --level wa", "warning"),
            ("router sessions --sort r", "rate"),
            ("router sessions --listener ec", ""),
            ("router log-level de", "debug"),
            ("router completion z", "zsh"),
            ("router run --config so", "some file.conf"),
            ("router config show so", "some file.conf"),
            ("router --vers", "--version"),
        ];
        var script = "cd \"$1\"; source router.bash; complete -p router\n" + string.Concat(cases.Select(static one =>
            $"COMP_WORDS=({one.Words} {(one.Words.EndsWith(' ') ? "''" : "")}); "
            + "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _router 2>/dev/null; echo \"${COMPREPLY[*]}\"\n"));

        var answers = (await ToolAsync("bash", ["--norc", "-c", script, "bash", Folder])).Split('\n');

        Assert.Equal("complete -F _router router", answers[0]);
        Assert.Equal(cases.Select(static one => one.Expected), answers[1..]);
    }
}

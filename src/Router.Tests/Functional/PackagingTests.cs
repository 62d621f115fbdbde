using System.Text.RegularExpressions;
using Router.CommandLine;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What folder packaging makes is installed and used, as built beside the tests.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class PackagingTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly ITestOutputHelper _output = output;

    [RequiresToolFact(RequiredTools.Namespace, "systemd-nspawn", "dpkg-deb", "socat", "promtool")]
    public async Task The_Debian_package_installs_and_its_service_runs_under_systemd()
    {
        var package = await ScriptAsync("sh", "packaging/deb.sh", "--from", AppContext.BaseDirectory, Folder);

        var tried = await ScriptAsync("python3", "packaging/try_systemd.py", package.Trim());

        Assert.Equal(17, Ok().Count(tried));
    }

    /// <summary>Where podman is there and may not run a container, the script says so in capitals, and a chroot, which
    /// has a line less, stands in.</summary>
    [RequiresToolFact(RequiredTools.Namespace, "podman", "runc", "socat")]
    public async Task The_image_runs_without_root_on_a_root_that_is_read_only_and_is_healthy()
    {
        var tried = await ScriptAsync("python3", "packaging/try_container.py", "--from", AppContext.BaseDirectory);

        var isByEngine = !tried.Contains("NO CONTAINER ENGINE RUNS HERE", StringComparison.Ordinal);
        Assert.Equal(isByEngine ? 7 : 6, Ok().Count(tried));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task The_packages_for_NuGet_are_used_by_a_program_that_has_nothing_else()
    {
        var isRelease = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal);

        var tried = await ScriptAsync(
            "sh", "packaging/try_nuget.sh", "-c", isRelease ? "Release" : "Debug", "--no-build");

        Assert.Equal(3, Ok().Count(tried));
    }

    /// <summary>A first thing that a new command misses.</summary>
    [Fact]
    public async Task The_page_for_man_has_every_command()
    {
        using var help = new StringWriter();
        await new RouterCommand(help, TextWriter.Null, static (_, _, _) => Task.FromResult(0), TimeProvider.System)
            .InvokeAsync(["--help"]);

        var page = Repository.Read("packaging/router.1");
        var text = help.ToString();
        Assert.Contains("Commands:", text, StringComparison.Ordinal);
        var commands = Command().Matches(text[text.IndexOf("Commands:", StringComparison.Ordinal)..]);
        Assert.NotEmpty(commands);
        Assert.All(commands, command =>
            Assert.Contains($"\n.B {command.Groups[1].Value}", page, StringComparison.Ordinal));
    }

    private async Task<string> ScriptAsync(string program, string script, params string[] arguments)
    {
        var run = await ProgramAsync(program, [Path.Combine(Repository.Root, script), .. arguments]);
        run.Input.Close();
        var exit = await run.ExitAsync(Patience);
        _output.WriteLine(run.Output.ToString());
        Assert.True(exit == 0, $"{script} ended with {exit}:\n{run.Output}\n{run.Error}");
        return run.Output.ToString();
    }

    [GeneratedRegex("^ok: ", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ok();

    [GeneratedRegex("^  ([a-z-]+)", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Command();
}

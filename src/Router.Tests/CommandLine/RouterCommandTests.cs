using System.Text.Json.Nodes;
using Router.CommandLine;

namespace Router.Tests.CommandLine;

public sealed class RouterCommandTests : IDisposable
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly string _directory = Directory.CreateTempSubdirectory("router-tests-").FullName;
    private (string? Config, IReadOnlyList<string> Settings)? _run;

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Without_a_command_it_runs_the_built_in_configuration()
    {
        Assert.Equal(0, await Invoke());

        Assert.Null(_run!.Value.Config);
        Assert.Empty(_run.Value.Settings);
    }

    [Theory]
    [InlineData("run", "--config", "f.conf", "--set", "a=b=c", "--set", "d=\"@x\"")]
    [InlineData("--config", "f.conf", "--set", "a=b=c", "--set", "d=\"@x\"")]
    [InlineData("--config=f.conf", "--set=a=b=c", "--set=d=\"@x\"")]
    public async Task Run_passes_on_file_and_settings_in_their_order(params string[] args)
    {
        Assert.Equal(0, await Invoke(args));

        Assert.Equal("f.conf", _run!.Value.Config);
        Assert.Equal(["a=b=c", "d=\"@x\""], _run.Value.Settings);
    }

    [Fact]
    public async Task The_exit_code_of_a_run_is_the_runners()
    {
        var command = new RouterCommand(
            _output, _error, static (_, _, _) => Task.FromResult(2), TimeProvider.System);

        Assert.Equal(2, await command.InvokeAsync(["run"]));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("run", "--confg", "f.conf")]
    [InlineData("run", "extra")]
    [InlineData("run", "--config")]
    [InlineData("run", "--config", "a", "--config", "b")]
    [InlineData("run", "--config", "")]
    [InlineData("run", "--set")]
    [InlineData("run", "--set", "router.loops")]
    [InlineData("run", "--set", "=2")]
    [InlineData("--config", "f.conf", "check")]
    [InlineData("check", "--json")]
    [InlineData("config")]
    [InlineData("config", "show", "a.conf", "b.conf")]
    [InlineData("config", "show", "--set", "a=b", "a.conf")]
    [InlineData("config", "show", "--user", "a.conf")]
    [InlineData("config", "show", "a.conf", "--config", "b.conf")]
    [InlineData("@file")]
    [InlineData("[diagram]")]
    public async Task A_wrong_command_line_says_what_is_wrong_runs_nothing_and_exits_64(params string[] args)
    {
        Assert.Equal(64, await Invoke(args));

        Assert.Null(_run);
        Assert.NotEmpty(_error.ToString());
        Assert.DoesNotContain("Exception", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-c x", "'-c' is no option of router run; did you mean '--config'?", "router run [--config FILE]")]
    [InlineData("--confg x", "'--confg' is no option of router run; did you mean '--config'?", "router run ")]
    [InlineData("check -s a=b", "'-s' is no option of router check; did you mean '--set'?", "router check ")]
    [InlineData("chek", "'chek' is no command of router; did you mean 'check'?", "router run | check | config")]
    [InlineData("config shw", "'shw' is no command of router config; did you mean 'show'?", "router config show")]
    [InlineData("config show -j", "'-j' is no option of router config show; did you mean '--json'?", "router config ")]
    [InlineData("help", "'help' is no command of router; did you mean '--help'?", "router run |")]
    [InlineData("run extra", "'extra' is no argument of router run", "[--set KEY=VALUE]...")]
    [InlineData("run --config", "Required argument missing for option: '--config'.", "[--config FILE]")]
    [InlineData("--set \u202ea", "--set needs key=value, not '\\u202Ea'.", "router run ")]
    public async Task A_wrong_command_line_names_the_nearest_word_and_the_usage(string line, string fault, string usage)
    {
        Assert.Equal(64, await Invoke(line.Split(' ')));

        var lines = _error.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(fault, lines[0]);
        Assert.StartsWith("usage: router ", lines[1], StringComparison.Ordinal);
        Assert.Contains(usage, lines[1], StringComparison.Ordinal);
        Assert.EndsWith(" --help says more", lines[2], StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public async Task Check_and_show_tell_what_an_include_looked_for_in_vain()
    {
        var file = Write(
            "whole.conf",
            "include \"part.conf\"\n"
            + "router { listeners.e { bind = \"udp://127.0.0.1:1\", route = e }, routes.e.type = echo }");
        var warning = $"{file}:1:9: include \"part.conf\" adds nothing: "
            + $"no such file {_directory}/part.conf (warning)\n";

        Assert.Equal(0, await Invoke("check", "--config", file));
        Assert.Equal($"{warning}{file}: ok\n", _output.ToString());
        Assert.Equal(0, await Invoke("config", "show", file));
        Assert.Equal(warning, _error.ToString());
    }

    [Fact]
    public async Task A_refused_file_tells_what_may_be_the_reason()
    {
        var file = Write("empty.conf", "include \"*.conf\", routr { }");

        Assert.Equal(1, await Invoke("check", "--config", file));

        var lines = _error.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith($"{file}:1:1: router.listeners: there is no listener", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("and takes no patterns (warning)", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("did you mean 'router'? (warning)", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_is_one_line()
    {
        Assert.Equal(0, await Invoke("--version"));

        Assert.Matches(@"^\d+\.\d+\.\d+\n$", _output.ToString());
        Assert.Null(_run);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("run", "--help")]
    [InlineData("config", "show", "-h")]
    public async Task Help_runs_nothing(params string[] args)
    {
        Assert.Equal(0, await Invoke(args));

        Assert.Contains("router", _output.ToString(), StringComparison.Ordinal);
        Assert.Null(_run);
    }

    [Fact]
    public async Task Check_accepts_the_built_in_configuration()
    {
        Assert.Equal(0, await Invoke("check"));

        Assert.Contains("ok", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task Check_lists_every_fault_with_file_line_and_column_and_exits_1()
    {
        var file = Write(
            "bad.conf",
            "router {\n  loops = many\n  listeners.a { bind = \"udp://127.0.0.1:1\", route = nowhere }\n}\n");

        Assert.Equal(1, await Invoke("check", "--config", file, "--set", "router.drain-timeout=soon"));

        var lines = _error.ToString().TrimEnd('\n').Split('\n');
        Assert.Contains(lines, line => line.StartsWith($"{file}:2:", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains($"{file}:3:") && line.Contains("nowhere"));
        Assert.Contains(lines, static line => line.Contains("router.drain-timeout", StringComparison.Ordinal));
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public async Task Show_resolves_includes_and_substitutions_of_any_file_as_json()
    {
        Write("part.conf", "c = [1, {d = ${a}}]");
        var file = Write("whole.conf", "a = hello\ninclude \"part.conf\"\nb = ${a} world");

        Assert.Equal(0, await Invoke("config", "show", "--json", file));

        Assert.Equal(
            """
            {
              "a": "hello",
              "c": [
                1,
                {
                  "d": "hello"
                }
              ],
              "b": "hello world"
            }

            """,
            _output.ToString());
    }

    [Fact]
    public async Task Show_prints_hocon_that_reads_back_as_the_same()
    {
        var file = Write(
            "odd.conf",
            "a.\"b.c\".include = \"x\\n\\\"y\", \"\" = null, e = {}, f = [[], {}, [true, 1e3]], " +
            "\"$\" = 10 ms, \"1\" = \"\u00e4\"");
        Assert.Equal(0, await Invoke("config", "show", "--json", file));
        var before = _output.ToString();
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await Invoke("config", "show", file));
        var again = Write("again.conf", _output.ToString());
        _output.GetStringBuilder().Clear();

        Assert.Equal(0, await Invoke("config", "show", "--json", again));

        Assert.Equal(before, _output.ToString());
    }

    [Theory]
    [InlineData("router.x.password = hush", 1, 0)]
    [InlineData("router {}, akka { persistence { password = hush, url = \"pg://me:hush@db\" } }", 1, 1)]
    [InlineData("router {}, db { url = \"pg://me:hush@db\", token = hush }", 1, 1)]
    [InlineData("app.password = hush", 0, 0)]
    public async Task Show_masks_secrets_of_a_routers_configuration_and_says_so(string text, int note, int more)
    {
        var file = Write("secret.conf", text);

        Assert.Equal(0, await Invoke("config", "show", "--json", file));

        Assert.Equal(note == 0, _output.ToString().Contains("hush", StringComparison.Ordinal));
        Assert.Equal(note == 0 ? "" : $"note: {note + more} secrets are shown as ***\n", _error.ToString());
    }

    [Fact]
    public async Task Show_without_a_file_prints_what_runs_by_default()
    {
        Assert.Equal(0, await Invoke("config", "show"));

        Assert.Contains("  loops = \"auto\"\n", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("text = \"I hear you\"\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_prints_what_is_in_force_with_file_sets_and_defaults()
    {
        var file = Write(
            "my.conf",
            """
            port = 5, router {
              loops = 3, listener-defaults.backlog = 7, route-defaults.room.max-rooms = 9
              listeners.gone = null
              listeners.e { bind = "udp://127.0.0.1:"${port}, route = r }, routes.r { type = room, token = hush }
            }
            """);

        Assert.Equal(0, await Invoke(
            "config", "show", "--json", "--config", file, "--set", "router.listeners.e.write-buffer=2KiB"));

        var router = JsonNode.Parse(_output.ToString())!["router"]!;
        Assert.Equal(3, (int)router["loops"]!);
        Assert.Equal("10s", (string)router["drain-timeout"]!);
        Assert.Null(router["listener-defaults"] ?? router["route-defaults"]);
        var listener = Assert.Single(router["listeners"]!.AsObject()).Value!;
        Assert.Equal(
            ("udp://127.0.0.1:5", 7, "2KiB", "60s"),
            ((string)listener["bind"]!, (int)listener["backlog"]!, (string)listener["write-buffer"]!,
                (string)listener["idle-timeout"]!));
        var route = router["routes"]!["r"]!;
        Assert.Equal((9, "***"), ((int)route["max-rooms"]!, (string)route["token"]!));
        Assert.Contains("note: 1 secrets are shown as ***\n", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_prints_only_what_is_written_when_asked_for()
    {
        var file = Write(
            "my.conf",
            "router { listeners.e { bind = \"udp://127.0.0.1:1\", route = e }\n"
            + "routes.e.type = echo, log.format = auto }");

        Assert.Equal(0, await Invoke(
            "config", "show", "--json", "--user", "--config", file, "--set", "router.loops=3"));

        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""
                {"router":{"loops":3,"log":{"format":"auto"},
                  "listeners":{"e":{"bind":"udp://127.0.0.1:1","route":"e"}},"routes":{"e":{"type":"echo"}}}}
                """),
            JsonNode.Parse(_output.ToString())), _output.ToString());
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task What_show_prints_as_in_force_is_in_force_again()
    {
        Assert.Equal(0, await Invoke("config", "show", "--set", "router.loops=3"));
        var shown = _output.ToString();
        var again = Write("again.conf", shown);
        _output.GetStringBuilder().Clear();

        Assert.Equal(0, await Invoke("config", "show", "--config", again));

        Assert.Equal(shown, _output.ToString());
    }

    [Fact]
    public async Task Show_says_that_a_configuration_with_faults_would_not_run()
    {
        var file = Write("my.conf", "router { lops = 3 }");

        Assert.Equal(0, await Invoke("config", "show", "--config", file));

        Assert.Contains("lops = 3", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("faults: 2, so that it would not run", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_of_a_program_is_checked_by_the_program()
    {
        var file = Write(
            "chat.conf",
            "router { listeners.c { bind = \"udp://127.0.0.1:1\", route = c }\n"
            + "routes.c { type = handler, name = chat } }");

        Assert.Equal(1, await Invoke("check", "--config", file));

        var fault = _error.ToString();
        Assert.Contains("'chat'", fault, StringComparison.Ordinal);
        Assert.Contains("checks the file by RouterConfiguration.Check(...)", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a = {", ":1:")]
    [InlineData("a = 1\nb = ${nothing}", ":2:")]
    public async Task Show_refuses_what_it_cannot_read_with_file_line_and_column(string text, string line)
    {
        var file = Write("broken.conf", text);

        Assert.Equal(1, await Invoke("config", "show", "--json", file));

        Assert.StartsWith(file + line, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Theory]
    [InlineData("check", "--config")]
    [InlineData("config", "show")]
    public async Task A_file_that_does_not_exist_is_refused_in_one_line(params string[] args)
    {
        Assert.Equal(1, await Invoke([.. args, Path.Combine(_directory, "none.conf")]));

        Assert.Equal($"{_directory}/none.conf:1:1: no such file\n", _error.ToString());
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_directory, name);
        File.WriteAllText(file, text);
        return file;
    }

    private Task<int> Invoke(params string[] args) => new RouterCommand(_output, _error, Run, TimeProvider.System)
        .InvokeAsync(args);

    private Task<int> Run(string? configFile, IReadOnlyList<string> settings, TextWriter errors)
    {
        _run = (configFile, settings);
        return Task.FromResult(0);
    }
}

using System.CommandLine;
using System.CommandLine.Invocation;
using Router.CommandLine.Client;
using Router.CommandLine.Completion;
using Router.CommandLine.Top;
using Router.Hosting;
using Router.Reporting;

namespace Router.CommandLine;

/// <summary>Runs a router until it is told to stop; see <see cref="RouterRunner.RunAsync"/>.</summary>
internal delegate Task<int> RunRouter(string? configFile, IReadOnlyList<string> settings, TextWriter errors);

/// <summary>Reads the command line, runs what it asks for, and returns the exit code.</summary>
/// <param name="run">A seam for tests of the command line alone.</param>
/// <param name="time">The clock.</param>
internal sealed class RouterCommand(TextWriter output, TextWriter error, RunRouter run, TimeProvider time)
{
    /// <summary>First words that are the root command's own; any other option first means <c>run</c>.</summary>
    private static readonly string[] RootOptions = ["--help", "-h", "-?", "--version"];

    /// <summary>How long an interrupted command may take to undo what it has begun.</summary>
    private static readonly TimeSpan InterruptTimeout = TimeSpan.FromSeconds(2);

    private readonly Option<string?> _config = new("--config")
    {
        Description = "A HOCON file; without it the built-in configuration runs.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "A setting on top of the file, as in router.loops=2; may be given again.",
        HelpName = "KEY=VALUE",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <returns>The exit code: 0 ok, 1 refused configuration, 2 could not bind, 64 wrong command line.</returns>
    public async Task<int> InvokeAsync(IReadOnlyList<string> args)
    {
        var parsed = MakeRoot().Parse(
            IsRun(args) && args is not ["run", ..] ? ["run", .. args] : args,
            new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            CommandUsage.WriteFaults(error, parsed);
            return RouterRunner.ExitUsage;
        }

        // Signals are the runner's, and cancel other commands. A fault of ours should be seen.
        return await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                Output = output,
                Error = error,
                ProcessTerminationTimeout = IsRun(args) ? null : InterruptTimeout,
                EnableDefaultExceptionHandler = false,
            }).ConfigureAwait(false);
    }

    /// <summary>Whether the arguments ask for a router to be run.</summary>
    public static bool IsRun(IReadOnlyList<string> args) =>
        args.Count == 0
        || args[0] == "run"
        || (args[0].StartsWith('-') && !RootOptions.Contains(args[0], StringComparer.Ordinal));

    private RootCommand MakeRoot()
    {
        _config.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError("--config needs the name of a file.");
            }
        });
        _set.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens.Where(static token => token.Value.IndexOf('=') < 1))
            {
                result.AddError($"--set needs key=value, not '{token.Value}'.");
            }
        });

        var root = new RootCommand("The session layer for raw UDP and TCP. Without a command it does what run does.")
        {
            HelpName = "router",
        };
        root.Directives.Clear();
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion();
        root.Add(MakeRun());
        root.Add(MakeCheck());
        root.Add(new Command("config", "Looks at configurations.") { MakeShow() });
        var admin = new AdminCommand(output, error);
        var cluster = new Command("cluster", "Looks at a cluster, has it reload, and makes certificates for it.")
        {
            ClusterCommands.MakeCertificates(output, error, time),
        };
        foreach (var command in new AdminClusterCommands(admin).All())
        {
            cluster.Add(command);
        }

        root.Add(cluster);
        foreach (var command in new AdminCommands(admin, time).All())
        {
            root.Add(command);
        }

        root.Add(new TopCommand(
            new AdminCommand(output, error), error,
            static () => !Console.IsOutputRedirected && !Console.IsInputRedirected, time).Make());
        root.Add(MakeCompletion(root));

        return root;
    }

    private Command MakeCompletion(RootCommand root)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. CompletionScripts.Shells]);
        var command = new Command("completion", "Prints a script by which a shell completes the command line.")
        {
            shell,
        };
        command.SetAction(parsed => output.Write(CompletionScripts.Of(
            parsed.GetValue(shell)!, CompletionNode.AllOf(root, "router"))));
        return command;
    }

    private Command MakeRun()
    {
        var command = new Command("run", "Runs until SIGTERM or SIGINT, which drain; a second one ends at once.")
        {
            _config,
            _set,
        };
        command.SetAction((parsed, _) => run(parsed.GetValue(_config), parsed.GetValue(_set) ?? [], error));
        return command;
    }

    private Command MakeCheck()
    {
        var command = new Command("check", "Reads and validates a configuration, and starts nothing.")
        {
            _config,
            _set,
        };
        command.SetAction(parsed =>
            RouterRunner.Check(parsed.GetValue(_config), parsed.GetValue(_set) ?? [], output, error));
        return command;
    }

    private Command MakeShow()
    {
        var user = new Option<bool>("--user") { Description = "Prints only what is written, without defaults." };
        var json = new Option<bool>("--json") { Description = "Prints JSON instead of HOCON." };
        var file = new Argument<string?>("FILE")
        {
            Description = "Any HOCON file, to be printed by itself instead.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(
            "show", "Prints the configuration that is in force with these options, defaults included, secrets masked.")
        {
            _config,
            _set,
            user,
            json,
            file,
        };
        file.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] word }])
            {
                result.AddError(CommandUsage.Unknown(command, word));
            }
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(file) is { Tokens.Count: > 0 }
                && (result.GetResult(_config) ?? result.GetResult(_set) ?? result.GetResult(user)) is not null)
            {
                result.AddError("FILE alone is printed by itself; --config FILE prints what is in force by it.");
            }
        });
        command.SetAction(parsed =>
        {
            var show = new ConfigShow(output, error, parsed.GetValue(json));
            return parsed.GetValue(file) is { } any
                ? show.Run(any)
                : show.Run(parsed.GetValue(_config), parsed.GetValue(_set) ?? [], parsed.GetValue(user));
        });
        return command;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(RouterVersion.Text);
            return RouterRunner.ExitOk;
        }
    }
}

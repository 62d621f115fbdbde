using Router.Configuration;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

internal sealed class ExecRouteOptions : RouteOptions
{
    private const long SizeMax = 1L << 40;

    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] Facts =
        ["PROTO", "REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT", "SESSION_ID"];

    private readonly ProofOptions _proof;

    public ExecRouteOptions(SectionReader route)
        : base(route)
    {
        _proof = new ProofOptions(route);
        Settings = new ExecRouteSettings(
            Command: route.Words("command", Reload.NewSessions, optional: true),
            Directory: route.Text("directory", Reload.NewSessions),
            Environment: route.Words("environment", Reload.NewSessions),
            MaxProcesses: route.Int("max-processes", 1, 100_000, Reload.NewSessions),
            Grace: route.Duration("grace", TimeSpan.Zero, TimeSpan.FromMinutes(10), Reload.NewSessions),
            Restart: route.Choice<ExecRestart>("restart", Reload.NewSessions),
            ErrorLines: route.Int("stderr-lines", 0, 10_000, Reload.NewSessions),
            Limits: ReadLimits(route.Child("limits")),
            _proof.Validation);
    }

    public ExecRouteSettings Settings { get; }

    /// <summary>Whether the program starts is seen when it is started; most mistakes are seen here.</summary>
    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (CommandFault(Settings.Command) is { } fault)
        {
            yield return Section.FaultAt("command", fault);
        }

        if (!Path.IsPathRooted(Settings.Directory) || !Directory.Exists(Settings.Directory))
        {
            yield return Section.FaultAt(
                "directory", $"'{Settings.Directory}' is no directory; an absolute path is wanted");
        }

        var variables = Settings.Environment.Select(VariableFault).OfType<string>()
            .Select(each => Section.FaultAt("environment", each));
        foreach (var each in variables.Concat(_proof.Check(context, this, "start processes")))
        {
            yield return each;
        }
    }

    public override Route Build(RouteEnvironment environment) => new ExecRoute(Name, Settings);

    private static ProcessLimits ReadLimits(SectionReader limits)
    {
        var cpuTime = limits.Duration("cpu-time", Limit.Second, Limit.Year, Reload.NewSessions, orInfinite: true);
        return new ProcessLimits(
            cpuTime == Timeout.InfiniteTimeSpan ? 0 : (long)cpuTime.TotalSeconds,
            limits.LongSize("memory", 0, SizeMax, Reload.NewSessions),
            limits.LongSize("file-size", 0, SizeMax, Reload.NewSessions),
            limits.Int("open-files", 3, 1_048_576, Reload.NewSessions),
            limits.Int("user-processes", 0, 4_194_304, Reload.NewSessions));
    }

    private static string? CommandFault(IReadOnlyList<string> command)
    {
        if (command.Count == 0)
        {
            return "a program is wanted, as [\"/path/of/program\", \"argument\", ...]";
        }

        var program = command[0];
        if (command.Any(static word => word.Contains('\0', StringComparison.Ordinal)))
        {
            return "an argument cannot contain a null character";
        }

        if (!Path.IsPathRooted(program))
        {
            return $"'{program}' is no absolute path; neither PATH nor a shell is asked: command = "
                + "[\"/bin/sh\", \"-c\", \"...\"] says so where a shell is wanted";
        }

        if (!File.Exists(program))
        {
            return $"there is no program '{program}'";
        }

        return OperatingSystem.IsWindows() || (File.GetUnixFileMode(program) & AnyExecute) != 0
            ? null
            : $"'{program}' may not be executed; see chmod(1)";
    }

    private static string? VariableFault(string variable)
    {
        var name = variable.Split('=')[0];
        if (name.Length == 0 || variable.Contains('\0', StringComparison.Ordinal))
        {
            return $"'{variable}' is no variable; NAME=value is wanted, or NAME for the router's own value";
        }

        return Facts.Contains(name, StringComparer.Ordinal)
            ? $"{name} tells a fact of the session and cannot be set"
            : null;
    }
}

using Router.Configuration;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A child process for every session.</summary>
internal sealed class ExecRouteOptions(SectionReader route) : RouteOptions(route)
{
    private const long SizeMax = 1L << 40;

    /// <summary>The program, absolute, and its arguments.</summary>
    public IReadOnlyList<string> Command { get; } = route.Words("command", Reload.NewSessions, optional: true);

    public string Directory { get; } = route.Text("directory", Reload.NewSessions);

    /// <summary><c>NAME=value</c>, or <c>NAME</c> for one that the router has itself.</summary>
    public IReadOnlyList<string> Environment { get; } = route.Words("environment", Reload.NewSessions);

    public int MaxProcesses { get; } = route.Int("max-processes", 1, 100_000, Reload.NewSessions);

    public TimeSpan Grace { get; } =
        route.Duration("grace", TimeSpan.Zero, TimeSpan.FromMinutes(10), Reload.NewSessions);

    public ExecRestart Restart { get; } = route.Choice<ExecRestart>("restart", Reload.NewSessions);

    /// <summary>Lines a second and child.</summary>
    public int StderrLines { get; } = route.Int("stderr-lines", 0, 10_000, Reload.NewSessions);

    public ProcessLimits Limits { get; } = ReadLimits(route.Child("limits"));

    /// <summary>What a UDP peer must prove before a child is started for it.</summary>
    public ProofOptions Proof { get; } = new(route);

    public override Route Build(RouteEnvironment environment) => new ExecRoute(Name, new ExecRouteSettings(
        Command,
        Directory,
        [.. Environment.Select(VariableOf).OfType<string>()],
        MaxProcesses,
        Grace,
        Restart,
        StderrLines,
        Limits,
        Proof.Validation));

    private static ProcessLimits ReadLimits(SectionReader limits)
    {
        var cpuTime = limits.Duration("cpu-time", Limit.Second, Limit.Year, Reload.NewSessions, orInfinite: true);
        return new ProcessLimits(
            cpuTime == Timeout.InfiniteTimeSpan ? 0 : (long)cpuTime.TotalSeconds,
            limits.LongSize("memory", 0, SizeMax, Reload.NewSessions),
            limits.LongSize("file-size", 0, SizeMax, Reload.NewSessions),
            limits.Int("open-files", 3, 1_048_576, Reload.NewSessions));
    }

    /// <summary>A name alone stands for the router's own value; null where it has none.</summary>
    private static string? VariableOf(string variable) =>
        variable.Contains('=', StringComparison.Ordinal) ? variable
        : System.Environment.GetEnvironmentVariable(variable) is { } value ? $"{variable}={value}"
        : null;
}

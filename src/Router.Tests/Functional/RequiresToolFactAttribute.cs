namespace Router.Tests.Functional;

/// <summary>A test that needs outside programs: skipped at discovery where some are missing, and says which.</summary>
/// <remarks>With CI=true in the environment nothing is skipped: the test then fails for want of its tool.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresToolFactAttribute : FactAttribute
{
    /// <param name="tools">Programs, or <see cref="RequiredTools.Namespace"/>.</param>
    public RequiresToolFactAttribute(params string[] tools) => Skip = RequiredTools.SkipReason(tools);
}

/// <summary>As <see cref="RequiresToolFactAttribute"/>, for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresToolTheoryAttribute : TheoryAttribute
{
    /// <param name="tools">Programs, or <see cref="RequiredTools.Namespace"/>.</param>
    public RequiresToolTheoryAttribute(params string[] tools) => Skip = RequiredTools.SkipReason(tools);
}

/// <summary>Which outside tools are there.</summary>
internal static class RequiredTools
{
    /// <summary>Stands for a network namespace of the test's own, which takes Linux and root.</summary>
    public const string Namespace = "a private network namespace (Linux, root)";

    /// <summary>Null where the test is to run.</summary>
    public static string? SkipReason(IEnumerable<string> tools)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            return null;
        }

        var missing = tools.Where(tool => !IsThere(tool)).ToList();
        return missing.Count == 0 ? null : "missing: " + string.Join(", ", missing);
    }

    /// <summary>Where Debian has the programs of PostgreSQL's server, below a folder for each version.</summary>
    private const string PostgresFolder = "/usr/lib/postgresql";

    /// <summary>Where the program is; null if nowhere on the PATH or in the folders of system programs.</summary>
    public static string? PathOf(string tool)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(Path.PathSeparator)
            .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"])
            .Concat(PostgresFolders())
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, tool))
            .FirstOrDefault(File.Exists);
    }

    private static IEnumerable<string> PostgresFolders() => Directory.Exists(PostgresFolder)
        ? Directory.GetDirectories(PostgresFolder).Order().Select(static version => Path.Combine(version, "bin"))
        : [];

    private static bool IsThere(string tool) =>
        tool == Namespace ? NetworkNamespace.IsAvailable : PathOf(tool) is not null;
}

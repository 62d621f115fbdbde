namespace Router.Tests.Tidy;

/// <summary>The sources these tests run from.</summary>
internal static class Repository
{
    private static readonly string[] NotSources = ["bin", "obj", ".git"];

    /// <summary>The directory that holds Router.sln, above the tests' assembly.</summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>
    /// Files below a directory, as paths from the root with '/' between; what a build makes is left out.
    /// </summary>
    public static IReadOnlyList<string> Files(string under, string pattern) =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, under), pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(static file => !file.Split('/').Intersect(NotSources, StringComparer.Ordinal).Any())
            .Order(StringComparer.Ordinal)];

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] ReadLines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static string FindRoot(string from)
    {
        for (var at = new DirectoryInfo(from); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Router.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Router.sln above {from}.");
    }
}

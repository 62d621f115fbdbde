using System.Text.RegularExpressions;
using NetArchTest.Rules;

namespace Router.Tests.Tidy;

/// <summary>Who may use whom. A folder of src/Router is a module; its name is its namespace.</summary>
public sealed partial class ArchitectureTests
{
    private const string Everything = "*";

    /// <summary>
    /// Each folder and the folders it may use, apart from itself. A new folder is entered here first.
    /// </summary>
    private static readonly Dictionary<string, string[]> Walls = new(StringComparer.Ordinal)
    {
        ["Net"] = [],
        ["Loop"] = ["Net"],
        ["Processes"] = ["Loop", "Net"],
        ["Upstreams"] = ["Loop", "Net", "Diagnostics"],
        ["Admission"] = ["Net", "Diagnostics"],
        ["Sessions"] = ["Loop", "Net", "Processes", "Admission", "Diagnostics"],
        ["Routes"] =
        [
            "Loop", "Net", "Processes", "Admission", "Sessions", "Upstreams", "Configuration", "Diagnostics",
        ],
        ["Listeners"] = ["Loop", "Net", "Admission", "Sessions", "Diagnostics"],
        ["Configuration"] = ["Loop", "Net", "Admission", "Sessions", "Upstreams", "Diagnostics"],
        ["Diagnostics"] = [],
        ["Heap"] = ["Loop", "Sessions", "Diagnostics"],
        ["Cluster"] = ["Loop", "Net", "Upstreams", "Sessions", "Configuration", "Diagnostics"],
        ["Reporting"] =
        [
            "Net", "Processes", "Upstreams", "Sessions", "Routes", "Listeners", "Configuration", "Diagnostics",
        ],
        ["Running"] =
        [
            "Loop", "Net", "Processes", "Upstreams", "Admission", "Sessions", "Routes", "Listeners", "Configuration",
            "Diagnostics", "Reporting", "Heap", "Cluster",
        ],
        ["Admin"] =
        [
            "Loop", "Net", "Upstreams", "Sessions", "Routes", "Listeners", "Configuration", "Diagnostics", "Reporting",
            "Running", "Cluster",
        ],
        ["Hosting"] = [Everything],
        ["CommandLine"] = [Everything],
    };

    /// <summary>Files whose namespace is not their folder's: programs find AddRouter and WithRouter without a
    /// using.</summary>
    private static readonly string[] ForeignNamespaces =
    [
        "src/Router/Hosting/RouterServiceCollectionExtensions.cs", "src/Router/Hosting/AkkaRouterExtensions.cs",
    ];

    private static readonly IReadOnlyList<(string Folder, SourceFile File)> Sources =
        [.. from file in SourceFile.All
            let folder = FolderOf(file.Path)
            where folder.Length > 0
            select (folder, file)];

    [Fact]
    public void Every_folder_has_its_walls() =>
        Assert.Equal(
            Walls.Keys.Order(),
            Sources.Select(static source => source.Folder).Distinct(StringComparer.Ordinal).Order());

    [Fact]
    public void A_file_of_a_folder_has_the_folders_namespace() =>
        Findings.None(
            from source in Sources
            where !ForeignNamespaces.Contains(source.File.Path, StringComparer.Ordinal)
            where !NamespaceOf(source.File).StartsWith($"Router.{source.Folder}", StringComparison.Ordinal)
            select $"{source.File.Path} is in {NamespaceOf(source.File)}");

    [Fact]
    public void No_file_imports_a_folder_that_the_walls_keep_out() =>
        Findings.None(
            from source in Sources
            from Match import in Import().Matches(source.File.Code)
            where !IsAllowed(source.Folder, import.Groups[1].Value)
            select $"{source.File.Path} imports {import.Groups[1].Value}");

    [Fact]
    public void No_type_uses_one_of_a_folder_that_the_walls_keep_out() =>
        Findings.None(
            from folder in Walls.Keys
            let foreign = Walls.Keys.Where(other => !IsAllowed(folder, other)).ToArray()
            from user in UsersOf(foreign, folder)
            select $"{user} uses one of {string.Join(", ", foreign)}");

    [Theory]
    [InlineData("Reporting", "Diagnostics", "Router.Reporting.SessionEvents")]   // in code alone
    [InlineData("Sessions", "Net", "Router.Sessions.Shard")]                     // in a signature
    public void What_types_use_is_seen(string folder, string used, string user) =>
        Assert.Contains(user, UsersOf([used], folder));

    [Theory]
    [InlineData("Upstreams", "Sessions", false)]
    [InlineData("Net", "Configuration.Hocon", false)]
    [InlineData("Configuration.Validators", "Configuration", true)]
    [InlineData("Sessions", "Net", true)]
    [InlineData("Sessions", "Listeners", false)]
    [InlineData("Hosting", "Configuration.Validators", true)]
    public void The_walls_tell_friend_from_foreigner(string from, string to, bool isAllowed) =>
        Assert.Equal(isAllowed, IsAllowed(from, to));

    private static bool IsAllowed(string from, string to)
    {
        var folder = from.Split('.')[0];
        return IsWithin(to, folder) || Walls[folder].Any(allowed => allowed == Everything || IsWithin(to, allowed));
    }

    private static bool IsWithin(string space, string folder) =>
        space == folder || space.StartsWith(folder + ".", StringComparison.Ordinal);

    /// <summary>The types of a folder that use any type of some others, in signatures or in code.</summary>
    private static IEnumerable<string> UsersOf(string[] others, string folder) => others.Length == 0
        ? []
        : Types.InAssembly(typeof(Router.Sessions.SessionContext).Assembly)
            .That().ResideInNamespace($"Router.{folder}")
            .Should().NotHaveDependencyOnAny([.. others.Select(static other => $"Router.{other}")])
            .GetResult()
            .FailingTypes.Select(static type => type.FullName);

    private static string NamespaceOf(SourceFile file) => Namespace().Match(file.Code).Groups[1].Value;

    private static string FolderOf(string path) =>
        path.Split('/') is ["src", "Router", var folder, _, ..] ? folder : "";

    [GeneratedRegex(@"^using (?:static |\w+ = )?Router\.([\w.]+)", RegexOptions.Multiline, 1000)]
    private static partial Regex Import();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline, 1000)]
    private static partial Regex Namespace();
}

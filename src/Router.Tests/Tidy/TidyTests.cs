using System.Text.RegularExpressions;

namespace Router.Tests.Tidy;

/// <summary>Sizes, leftovers and links.</summary>
public sealed partial class TidyTests
{
    private const int LineCharsMax = 120;
    private const int MethodLinesMax = 70;
    private const int FileLinesMax = 500;
    private const int TypeLinesMax = 599;

    private static readonly string[] TextExtensions =
        [".cs", ".csproj", ".props", ".sln", ".conf", ".md", ".json", ".sh", ".yml", ".editorconfig", ".gitignore"];

    [Fact]
    public void No_line_is_longer_than_120_characters() =>
        Findings.None(
            from file in SourceFile.All
            from line in file.Lines.Index()
            where line.Item.Length > LineCharsMax
            select $"{file.Path}:{line.Index + 1}: {line.Item.Length}");

    [Fact]
    public void No_method_is_longer_than_70_lines() =>
        Findings.None(
            from file in SourceFile.All
            from block in BlocksOf(file.CodeLines)
            where block.Type is null && block.Lines > MethodLinesMax
            select $"{file.Path}:{block.Line}: {block.Lines} lines");

    [Fact]
    public void No_file_is_longer_than_500_lines() =>
        Findings.None(
            from file in SourceFile.All
            where file.Lines.Length > FileLinesMax
            select $"{file.Path}: {file.Lines.Length} lines");

    [Fact]
    public void No_type_is_longer_than_599_lines_over_all_its_files() =>
        Findings.None(
            from file in SourceFile.All
            from block in BlocksOf(file.CodeLines)
            where block.Type is not null
            group block.Lines by $"{Path.GetDirectoryName(file.Path)}: {block.Type}" into parts
            where parts.Sum() > TypeLinesMax
            select $"{parts.Key}: {parts.Sum()} lines");

    [Fact]
    public void Program_starts_the_command_line_and_nothing_else() =>
        Assert.InRange(Repository.ReadLines("src/Router/Program.cs").Length, 1, 40);

    [Fact]
    public void Nothing_is_left_to_be_done_later() =>
        Findings.None(
            from file in SourceFile.All
            where !file.Path.StartsWith("src/Router.Tests/Tidy/", StringComparison.Ordinal)
            from line in file.Lines.Index()
            where Leftover().IsMatch(line.Item)
            select $"{file.Path}:{line.Index + 1}: {line.Item.Trim()}");

    [Fact]
    public void No_file_names_a_place_of_one_machine() =>
        Findings.None(
            from path in TextFiles()
            where path is not "src/Router.Tests/Tidy/TidyTests.cs"
            from line in Repository.ReadLines(path).Index()
            where MachinePath().IsMatch(line.Item)
            select $"{path}:{line.Index + 1}: {line.Item.Trim()}");

    [Fact]
    public void Versions_of_packages_stand_in_one_place() =>
        Assert.All(
            Repository.Files("src", "*.csproj"),
            static path => Assert.DoesNotMatch(PackageWithVersion(), Repository.Read(path)));

    [Fact]
    public void Links_of_the_pages_lead_somewhere() =>
        Findings.None(
            from page in Repository.Files("", "*.md")
            from Match link in Link().Matches(Repository.Read(page))
            let target = link.Groups[1].Value.Split('#')[0]
            where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
            let path = Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, target)
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{page}: {target}");

    [Theory]
    [InlineData("    void A()\n    {\n        b();\n        c();\n    }\n", 5)]
    [InlineData("class A\n{\n    void B()\n    {\n        c();\n    }\n}\n", 4)]
    [InlineData("    void A(\n        int b)\n    {\n        c();\n    }\n", 5)]
    public void A_method_is_measured_from_its_first_line_to_its_last(string code, int lines) =>
        Assert.Equal(
            lines,
            BlocksOf(code.Split('\n')).Where(static block => block.Type is null).Max(static block => block.Lines));

    [Theory]
    [InlineData("sealed partial class A(\n    int b)\n{\n    int C;\n}\n", "A", 5)]
    [InlineData("readonly record struct C\n{\n}\n", "C", 3)]
    [InlineData("struct B\n{\n}\n", "B", 3)]
    public void A_type_is_measured_from_its_first_line_to_its_last(string code, string type, int lines) =>
        Assert.Equal((1, lines, type), Assert.Single(BlocksOf(code.Split('\n'))));

    private static IEnumerable<string> TextFiles() => Repository.Files("", "*")
        .Where(static path =>
            path is ".ci/run" || TextExtensions.Contains(Path.GetExtension(path), StringComparer.Ordinal));

    /// <summary>
    /// Blocks of code, with the name of the type where one is a type's. The layout is what dotnet format makes: braces
    /// on lines of their own.
    /// </summary>
    private static IEnumerable<(int Line, int Lines, string? Type)> BlocksOf(string[] code)
    {
        for (var open = 0; open < code.Length; open++)
        {
            if (code[open].TrimStart() is not "{")
            {
                continue;
            }

            var first = open;
            while (first > 0 && HeaderLine().IsMatch(code[first - 1]))
            {
                first--;
            }

            var header = string.Join(' ', code[first..open]);
            var indent = code[open].Length - 1;
            var end = new string(' ', indent) + "}";
            var close = Array.FindIndex(code, open, line => line.StartsWith(end, StringComparison.Ordinal));
            if (close > 0)
            {
                var type = TypeHeader().Match(header);
                yield return (first + 1, close - first + 1, type.Success ? type.Groups["name"].Value : null);
            }
        }
    }

    /// <summary>Part of what a block belongs to: not blank, not the end of something else.</summary>
    [GeneratedRegex(@"\S.*[^;{}\]\s]\s*$", RegexOptions.None, 1000)]
    private static partial Regex HeaderLine();

    [GeneratedRegex(
        @"\b(record\s+struct|class|struct|record|interface|enum|namespace)\s+(?<name>\w+)",
        RegexOptions.None,
        1000)]
    private static partial Regex TypeHeader();

    [GeneratedRegex(
        @"\b(TODO|FIXME|HACK|XXX|TBD|NotImplementedException)\b|#pragma warning disable[^/]*$|\bSkip = """,
        RegexOptions.None,
        1000)]
    private static partial Regex Leftover();

    [GeneratedRegex(@"(?<![\w.])/(home|root|work|Users)/|[A-Z]:\\\\?Users", RegexOptions.None, 1000)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"<PackageReference[^>]*\bVersion(Override)?=", RegexOptions.None, 1000)]
    private static partial Regex PackageWithVersion();

    [GeneratedRegex(@"\]\(([^)\s]+)\)", RegexOptions.None, 1000)]
    private static partial Regex Link();
}

using Router.Configuration;
using Router.Routes;

namespace Router.Tests.Tidy;

/// <summary>Every file of hocon/examples is accepted, and started by a functional test that names it.</summary>
public sealed class ExampleTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "hocon", "examples");

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder).Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_example_has_no_fault(string name)
    {
        var result = ConfigurationLoader.Load(
            RouteTypes.All, Path.Combine(Folder, name), [], _ => null, SystemLimits.Unknown);

        Assert.Empty(result.Faults);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_example_has_its_functional_test(string name) => Assert.Contains(
        SourceFile.All.Where(f => f.Path.StartsWith("src/Router.Tests/Functional/", StringComparison.Ordinal)),
        f => f.Lines.Any(l => l.Contains($"hocon/examples/{name}", StringComparison.Ordinal)));
}

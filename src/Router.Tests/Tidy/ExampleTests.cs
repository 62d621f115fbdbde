using Router.Configuration;
using Router.Routes;
using Router.Tests.Cluster;

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
        var folder = Directory.CreateTempSubdirectory("router-certificates-");
        try
        {
            var result = ConfigurationLoader.Load(
                RouteTypes.All, Path.Combine(Folder, name), [], CertificatesOf(folder.FullName), SystemLimits.Unknown);

            Assert.Empty(result.Faults);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_example_has_its_functional_test(string name) => Assert.Contains(
        SourceFile.All.Where(f => f.Path.StartsWith("src/Router.Tests/Functional/", StringComparison.Ordinal)),
        f => f.Lines.Any(l => l.Contains($"hocon/examples/{name}", StringComparison.Ordinal)));

    /// <summary>The environment: an example that names certificates is given some, for there are none to be shipped.
    /// </summary>
    private static Func<string, string?> CertificatesOf(string folder) => name =>
    {
        if (name != "CERTIFICATES")
        {
            return null;
        }

        TestCertificates.Make(folder, "127.0.0.1");
        return folder;
    };
}

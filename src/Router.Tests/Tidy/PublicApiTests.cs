using PublicApiGenerator;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Tidy;

/// <summary>What programs may build on is what was approved: nothing comes to it, or leaves it, unseen.</summary>
public sealed class PublicApiTests
{
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        UseDenyNamespacePrefixesForExtensionMethods = false,
    };

    [Theory]
    [InlineData("Router.txt", typeof(SessionHandler))]
    [InlineData("Router.TestKit.txt", typeof(RouterTestKit))]
    public void The_public_surface_is_the_approved_text(string file, Type type)
    {
        var surface = type.Assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n").TrimEnd() + "\n";
        var received = Path.Combine(AppContext.BaseDirectory, file);
        File.WriteAllText(received, surface);

        Assert.True(
            surface == Repository.Read($"src/Router.Tests/Tidy/Api/{file}"),
            $"The public surface has changed. If that is meant: cp {received} src/Router.Tests/Tidy/Api/{file}");
    }
}

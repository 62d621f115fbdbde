namespace Router.Tests.Configuration.Validators;

public sealed class NameRuleTests
{
    [Theory]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("ü")]
    [InlineData("a.b")]
    public void Names_are_letters_digits_hyphens_and_underscores(string name)
    {
        var faults = Loaded.Result($$"""
            router {
              listeners { "{{name}}" { bind = "udp://127.0.0.1:1", route = "{{name}}" } }
              routes { "{{name}}" { type = handler, name = x } }
            }
            """).Faults;
        Assert.Equal(2, faults.Count);
        Assert.All(faults, f => Assert.Contains("a name consists of", f.Message));
    }
}

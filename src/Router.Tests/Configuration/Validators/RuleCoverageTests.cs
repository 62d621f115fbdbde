using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

/// <summary>Holds rules, their list and their tests together.</summary>
public sealed class RuleCoverageTests
{
    private static readonly Type[] Rules = [.. typeof(IConfigurationRule).Assembly.GetTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IConfigurationRule)))];

    [Fact]
    public void Every_rule_is_in_the_list_once() =>
        Assert.Equal(
            Rules.Select(t => t.Name).Order(StringComparer.Ordinal),
            ConfigurationLoader.Rules.Select(r => r.GetType().Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_rule_has_a_test_class_of_its_name()
    {
        var tests = typeof(RuleCoverageTests).Assembly.GetTypes().Select(t => t.Name).ToHashSet();
        Assert.All(Rules, r => Assert.Contains(r.Name + "Tests", tests));
    }
}

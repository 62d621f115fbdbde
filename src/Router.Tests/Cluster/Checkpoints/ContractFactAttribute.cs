using Router.Tests.Functional;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>A test of a suite that several classes inherit: skipped in those whose tools are missing, as
/// <see cref="RequiresToolFactAttribute"/> does it.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Router.Tests.Cluster.Checkpoints." + nameof(ContractFactDiscoverer), "Router.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>The tools that the inherited tests of a class take.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ContractToolsAttribute(params string[] tools) : Attribute
{
    public IReadOnlyList<string> Tools => tools;
}

public sealed class ContractFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        var tools = testMethod.TestClass.Class.GetCustomAttributes(typeof(ContractToolsAttribute))
            .SelectMany(static attribute => (string[])attribute.GetConstructorArguments().Single());
        return RequiredTools.SkipReason(tools) is { } reason
            ? new XunitSkippedDataRowTestCase(
                DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(),
                discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, reason)
            : base.CreateTestCase(discoveryOptions, testMethod, factAttribute);
    }
}

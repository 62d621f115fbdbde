using Router.Hosting;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The collector's budget for young collections, which a process can only begin with.</summary>
[Collection(MemberTests.Name)]
public sealed class YoungBudgetTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Listener =
        "listeners.a { bind = \"udp://127.0.0.1:5300\", route = b }, routes.b { type = echo }";

    private const string Cluster = "cluster { port = 27200, seeds = [\"127.0.0.1:27200\"] }";

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData(Cluster, null, "800000")]
    [InlineData(Cluster + ", heap.young-budget = 512 KiB", null, null)]
    [InlineData("heap.young-budget = 4 MiB", null, "400000")]
    [InlineData("", null, null)]
    [InlineData(Cluster, "100000", "100000")]
    public async Task A_process_begins_anew_with_the_budget_that_it_should_have_and_with_nothing_else_changed(
        string configured, string? before, string? budget)
    {
        string[] first = before is null ? [] : ["env", $"{YoungBudget.Variable}={before}"];
        var file = await RouterProcess.WriteAsync(Folder, $"router {{ {configured}\n {Listener} }}");
        string[] arguments = ["run", "--config", file, "--set", "router.log.level=\"debug\""];
        var router = Keep(await RouterProcess.StartAsync(Network, Folder, arguments, surroundings: first));
        await router.RecordAsync("listening");

        Assert.Equal(budget is null ? [] : [$"{YoungBudget.Variable}={budget}"], Budgets(router));
        Assert.Equal(arguments, Texts(router, "cmdline").TakeLast(arguments.Length));
        using var client = await Network.RunAsync(static () => Client.Udp(5300));
        Assert.Equal("one"u8, Client.Exchange(client, "one"u8));
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        Assert.Single(router.RecordsOf("listening"));
        Assert.Empty(router.Error.Lines);
    }

    private static IEnumerable<string> Budgets(RouterProcess router) =>
        Texts(router, "environ").Where(static text =>
            text.StartsWith($"{YoungBudget.Variable}=", StringComparison.Ordinal));

    private static string[] Texts(RouterProcess router, string file) =>
        File.ReadAllText($"/proc/{router.Id}/{file}").Split('\0', StringSplitOptions.RemoveEmptyEntries);
}

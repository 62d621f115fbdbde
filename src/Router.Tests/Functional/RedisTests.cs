using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>redis through a TCP proxy: pipelined load, a mass insert, and connections that mostly listen.</summary>
public sealed class RedisTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Config =
        """
        router {
          listeners.redis { bind = "tcp://127.0.0.1:47379", route = redis }
          routes.redis { type = proxy, upstreams = ["127.0.0.1:48379"] }
        }
        """;

    private static readonly string[] Address = ["-h", "127.0.0.1", "-p", "47379"];

    [RequiresToolFact(RequiredTools.Namespace, "redis-server", "redis-benchmark")]
    public async Task The_benchmark_runs_to_its_end()
    {
        await StartAsync();

        var report = await ToolAsync(
            "redis-benchmark", [.. Address, .. "-n 20000 -c 20 -P 8 -t set,get,lrange_100 -q --csv".Split(' ')]);

        Assert.Equal(1 + 4, report.Split('\n').Count(row => row.StartsWith('"')));   // a heading and four rows
    }

    [RequiresToolFact(RequiredTools.Namespace, "redis-server", "redis-cli")]
    public async Task A_mass_insert_gets_every_reply()
    {
        const int Sets = 50_000;
        await StartAsync();
        var commands = new StringBuilder();
        for (var i = 0; i < Sets; i++)
        {
            commands.Append(CultureInfo.InvariantCulture, $"SET key:{i} value-{i}\r\n");
        }

        var report = await ToolAsync("redis-cli", [.. Address, "--pipe"], commands.ToString());

        Assert.Contains("errors: 0, replies: 50000", report, StringComparison.Ordinal);
        Assert.Equal("50000", await ToolAsync("redis-cli", [.. Address, "dbsize"]));
        Assert.Equal("value-49999", await ToolAsync("redis-cli", [.. Address, "get", "key:49999"]));
    }

    [RequiresToolFact(RequiredTools.Namespace, "redis-server", "redis-cli")]
    public async Task A_subscriber_hears_every_publish()
    {
        await StartAsync();
        var subscriber = await ProgramAsync("redis-cli", [.. Address, "subscribe", "news"]);
        await subscriber.Output.WaitAsync(line => line == "subscribe");
        var channel = 0;
        await subscriber.Output.WaitAsync(_ => ++channel == 3);

        foreach (var word in new[] { "one", "two", "three" })
        {
            Assert.Equal("1", await ToolAsync("redis-cli", [.. Address, "publish", "news", word]));
        }

        await subscriber.Output.WaitAsync(line => line == "three");
        var words = subscriber.Output.Lines.Skip(3).Where((_, index) => index % 3 == 2);
        Assert.Equal(["one", "two", "three"], words);
    }

    private async Task StartAsync()
    {
        await ServerAsync(
            "tcp", 48379, "redis-server", "--port", "48379", "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", Folder);
        await RouterAsync(Config);
    }
}

using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>iperf3 through a proxy: control over tcp, streams over tcp or udp, all on one port.</summary>
public sealed class Iperf3Tests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Config =
        """
        router {
          listeners.iperf { bind = ["udp://127.0.0.1:47201", "tcp://127.0.0.1:47201"], route = iperf }
          routes.iperf { type = proxy, upstreams = ["127.0.0.1:48201"] }
        }
        """;

    [RequiresToolTheory(RequiredTools.Namespace, "iperf3")]
    [InlineData("-u -b 8M -l 1200 -t 2")]
    [InlineData("-u -b 4M -l 1200 -t 2 -P 4")]
    [InlineData("-u -b 8M -l 1200 -t 2 -R")]
    [InlineData("-u -b 4M -t 2 --bidir")]
    public async Task Udp_streams_arrive_whole_and_in_order(string load)
    {
        var end = await MeasureAsync(load);

        var sum = end.GetProperty("sum");
        Assert.Equal(0, sum.GetProperty("lost_packets").GetInt64());
        Assert.True(sum.GetProperty("packets").GetInt64() > 0);
        foreach (var stream in end.GetProperty("streams").EnumerateArray())
        {
            var hasCount = stream.GetProperty("udp").TryGetProperty("out_of_order", out var count);
            Assert.True(!hasCount || count.GetInt64() == 0, stream.ToString());
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "iperf3")]
    public async Task A_tcp_stream_reaches_its_rate()
    {
        var end = await MeasureAsync("-b 50M -t 2");

        Assert.InRange(end.GetProperty("sum_received").GetProperty("bytes").GetInt64(), 12_000_000, long.MaxValue);
    }

    private async Task<JsonElement> MeasureAsync(string load)
    {
        await ServerAsync("tcp", 48201, "iperf3", "-s", "-B", "127.0.0.1", "-p", "48201");
        await RouterAsync(Config);

        var report = await ToolAsync("iperf3", ["-c", "127.0.0.1", "-p", "47201", "-J", .. load.Split(' ')]);

        using var json = JsonDocument.Parse(report);
        Assert.False(json.RootElement.TryGetProperty("error", out var error), error.ToString());
        return json.RootElement.GetProperty("end").Clone();
    }
}

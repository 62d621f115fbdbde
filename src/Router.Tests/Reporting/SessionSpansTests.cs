using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Router.Tests.Admin;
using Router.Tests.Functional;

namespace Router.Tests.Reporting;

/// <summary>Spans of sessions and of their connections to upstreams, on real sockets.</summary>
public sealed class SessionSpansTests
{
    private const string Echo = """
        admin.bind = "127.0.0.1:0"
        listeners.e { bind = "tcp://127.0.0.1:0", route = e }
        routes.e.type = echo
        """;

    private const string Proxied = """
        admin.bind = "127.0.0.1:0"
        listeners.spanned { bind = "tcp://127.0.0.1:0", route = p }
        routes.p { type = proxy, upstreams = ["127.0.0.1:PORT"] }

        """;

    [Fact]
    public async Task A_session_and_its_connection_are_spans_of_one_trace_which_the_record_names()
    {
        using var taken = new Taken();
        await using var back = AdminRig.Start(Echo);
        await using var rig = Start(back, "spans.sample = 1");
        await rig.Engine.Begun;

        await ExchangeAsync(rig);
        await Until.TrueAsync(() => taken.Of("session spanned").Any(), () => "no span");

        var session = taken.Of("session spanned").Single();
        var connect = taken.Of("connect").Single(span => span.TraceId == session.TraceId);
        Assert.Equal(session.SpanId, connect.ParentSpanId);
        Assert.Equal(default, session.ParentSpanId);
        Assert.Equal("tcp", session.GetTagItem("network.transport"));
        Assert.Equal(5L, session.GetTagItem("router.bytes.in"));
        Assert.Equal(connect.GetTagItem("router.upstream"), session.GetTagItem("router.upstream"));
        Assert.Equal(session.TraceId.ToHexString(), Assert.Single(rig.Log.Of("session-closed"))["trace-id"]);
        Assert.Null(Activity.Current);
    }

    [Theory]
    [InlineData("")]
    [InlineData("spans.sample = 1000000")]
    public async Task Sessions_that_are_not_sampled_have_none(string spans)
    {
        using var taken = new Taken();
        await using var back = AdminRig.Start(Echo);
        await using var rig = Start(back, spans);
        await rig.Engine.Begun;

        await ExchangeAsync(rig);
        await rig.Log.Seen("session-closed");

        Assert.DoesNotContain(
            taken.All, span => Equals(span.GetTagItem("router.session"), rig.Log.Of("session-closed")[0]["session"]));
        Assert.Null(rig.Log.Of("session-closed")[0]["trace-id"]);
    }

    [Fact]
    public async Task A_collector_gets_them()
    {
        await using var collector = await OtlpCollector.StartAsync("/v1/traces");
        await using var back = AdminRig.Start(Echo);
        var rig = Start(back, $"spans {{ sample = 1, otlp {{ endpoint = \"{collector.Url}\", protocol = http, "
            + "service-name = edge } }");
        await rig.Engine.Begun;
        await ExchangeAsync(rig);
        await rig.Log.Seen("session-closed");

        string[] parts = ["service.name", "edge", "session spanned", "connect", "router.upstream", "client.address"];
        await Until.TrueAsync(
            () => parts.All(part => collector.Text.Contains(part, StringComparison.Ordinal)), () => collector.Text);
        await rig.DisposeAsync();
        Assert.Empty(rig.Log.Texts("spans-export-failed"));
        Assert.Empty(rig.Log.Texts("spans-dropped"));
    }

    [Fact]
    public async Task A_collector_that_takes_nothing_is_told_of()
    {
        await using var collector = await OtlpCollector.StartAsync("/v1/traces");
        collector.Status = 404;
        await using var back = AdminRig.Start(Echo);
        var rig = Start(back, $"spans {{ sample = 1, otlp {{ endpoint = \"{collector.Url}\", protocol = http }} }}");
        await rig.Engine.Begun;
        await ExchangeAsync(rig);
        await rig.Log.Seen("session-closed");

        await rig.DisposeAsync();

        var told = Assert.Single(rig.Log.Texts("spans-export-failed"));
        Assert.Contains("takes no spans", told, StringComparison.Ordinal);
    }

    private static AdminRig Start(AdminRig back, string spans) => AdminRig.Start(
        Proxied.Replace("PORT", $"{back.Engine.Bound[0].Address.Port}", StringComparison.Ordinal) + spans);

    private static async Task ExchangeAsync(AdminRig rig)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(rig.Engine.Bound[0].Address.ToIPEndPoint());
        await client.GetStream().WriteAsync("hello"u8.ToArray());
        await client.GetStream().ReadExactlyAsync(new byte[5]);
    }

    /// <summary>What ends meanwhile, of all routers in this process.</summary>
    private sealed class Taken : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _spans = new();
        private readonly ActivityListener _listener;

        public Taken()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == "Router",
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = _spans.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyCollection<Activity> All => _spans;

        public IEnumerable<Activity> Of(string name) => _spans.Where(span => span.DisplayName == name);

        public void Dispose() => _listener.Dispose();
    }
}

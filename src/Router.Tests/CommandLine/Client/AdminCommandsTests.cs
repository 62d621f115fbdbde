using System.CommandLine;
using System.Net;
using System.Text;
using Router.CommandLine.Client;
using Router.TestKit.Simulation;

namespace Router.Tests.CommandLine.Client;

/// <summary>What each command asks, and how it ends.</summary>
public sealed class AdminCommandsTests : IDisposable
{
    private const string Sample = """
        { "ok": true, "sessions": [{ "session": "12ab", "peer": "192.0.2.7:5000", "bytes-in": 2048, "age-ms": 1500,
            "bytes-per-second": 7 }],
          "matched": 2, "next": "abc", "level": "debug", "version": "1.2.3", "total": { "sessions": 3 },
          "listeners": [{ "name": "echo", "sessions": 3 }], "changed": ["router.drain-timeout"], "need-restart": [],
          "groups": [{ "route": "back", "upstreams": [{ "upstream": "10.0.0.1:53", "state": "up", "weight": 100 }] }] }
        """;

    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly VirtualTimeProvider _time = new();
    private readonly Endpoint _endpoint = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _endpoint.Dispose();
    }

    [Theory]
    [InlineData("ready", "GET /ready", "ready\n")]
    [InlineData("live", "GET /live", "live\n")]
    [InlineData("log-level", "GET /log-level", "debug\n")]
    [InlineData("log-level debug", "PUT /log-level {\"level\":\"debug\"}", "debug\n")]
    [InlineData("reload", "POST /reload", "router.drain-timeout")]
    [InlineData("stats", "GET /stats", "echo             3")]
    [InlineData("drain --no-wait", "POST /drain", "")]
    [InlineData("sessions", "GET /sessions?", "of 2; the next page: --cursor abc")]
    [InlineData("sessions --peer 192.0.2.0/24 --sort rate", "GET /sessions?peer=192.0.2.0%2F24&sort=rate", "7 B")]
    [InlineData(
        "sessions --min-age 5m --limit 3 --listener a&b", "GET /sessions?listener=a%26b&min-age=5m&limit=3", "1.5s")]
    [InlineData("listeners", "GET /listeners", "echo")]
    [InlineData("listeners echo --drain", "POST /listeners/echo/drain", "")]
    [InlineData("listeners echo --resume", "POST /listeners/echo/resume", "")]
    [InlineData("upstreams", "GET /upstreams", "back   10.0.0.1:53  up        100         -")]
    [InlineData("upstreams back 10.0.0.1:53 --drain", "POST /upstreams/back/drain?upstream=10.0.0.1%3A53", "")]
    [InlineData("upstreams back 10.0.0.1:53 --disable", "POST /upstreams/back/disable?upstream=10.0.0.1%3A53", "")]
    [InlineData("upstreams back 10.0.0.1:53 --enable", "POST /upstreams/back/enable?upstream=10.0.0.1%3A53", "")]
    [InlineData(
        "upstreams back 10.0.0.1:53 --weight 7",
        "PUT /upstreams/back/weight?upstream=10.0.0.1%3A53 {\"weight\":7}", "")]
    [InlineData("session 12ab", "GET /sessions/12ab", "version")]
    [InlineData("session 12ab --close", "POST /sessions/12ab/close", "version")]
    [InlineData("sessions --cluster --sort age", "GET /sessions?sort=age&cluster=true", "1.5s")]
    [InlineData("sessions --json", "GET /sessions?", "\"bytes-in\": 2048")]
    public async Task A_command_asks_and_prints(string command, string asked, string printed)
    {
        _endpoint.Answer(HttpStatusCode.OK, Sample);

        Assert.Equal(0, await InvokeAsync(command));

        Assert.Equal([asked], _endpoint.Asked);
        Assert.Contains(printed, _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Theory]
    [InlineData("events", "GET /events?last=20&follow=false",
        "2026-01-02T03:04:05.678Z warning  drops reason=\"a b\\u001B\" peer=- at-least=true\n")]
    [InlineData("events -f --last 0 --level info --event a,b --listener e --session 7",
        "GET /events?last=0&follow=true&level=info&event=a%2Cb&listener=e&session=7", "warning  drops")]
    [InlineData("events --json", "GET /events?last=20&follow=false", "\"event\":\"drops\",\"reason\":")]
    public async Task Events_are_followed_and_printed_a_line_each(string command, string asked, string printed)
    {
        _endpoint.Answer(HttpStatusCode.OK, """
            : beat

            data: {"time":"2026-01-02T03:04:05.678Z","level":"warning","event":"drops",
            data: "reason":"a b\u001b","peer":null,"at-least":true}


            """);

        Assert.Equal(0, await InvokeAsync(command));

        Assert.Equal([asked], _endpoint.Asked);
        Assert.Contains(printed, _output.ToString(), StringComparison.Ordinal);
        Assert.Single(_output.ToString().TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("ready", 503, "{ \"reasons\": [\"draining\", \"fenced\"] }", 1, "draining fenced\n", "")]
    [InlineData("stats", 401, "{ \"title\": \"No token\", \"detail\": \"show one\" }", 77, "", "show one\n")]
    [InlineData("stats", 421, "{ \"title\": \"Wrong host\" }", 1, "", "Wrong host\n")]
    [InlineData("reload", 422, "{ \"detail\": \"x\", \"faults\": [\"a.conf:1:2: b\", \"c\\u001b\"] }", 1, "",
        "a.conf:1:2: b\nc\\u001B\n")]
    [InlineData("session 7", 404, "", 1, "", "HTTP 404\n")]
    [InlineData("events", 503, "{ \"detail\": \"too many\" }", 1, "", "too many\n")]
    [InlineData("events", 200, "data: <html>\n\n", 69, "", "http://127.0.0.1:27124: what answers is no router\n")]
    [InlineData("stats", 200, "<html>", 69, "", "http://127.0.0.1:27124: what answers is no router\n")]
    public async Task What_is_wrong_is_told_in_the_endpoints_words(
        string command, int status, string body, int exit, string output, string error)
    {
        _endpoint.Answer((HttpStatusCode)status, body);

        Assert.Equal(exit, await InvokeAsync(command));

        Assert.Equal(output, _output.ToString());
        Assert.Equal(error, _error.ToString());
    }

    [Theory]
    [InlineData("listeners echo")]
    [InlineData("listeners --drain")]
    [InlineData("listeners echo --drain --resume")]
    [InlineData("upstreams back")]
    [InlineData("upstreams back 10.0.0.1:53")]
    [InlineData("upstreams back --drain")]
    [InlineData("events --last -1")]
    [InlineData("upstreams --weight 7")]
    [InlineData("upstreams back 10.0.0.1:53 --weight 7 --drain")]
    public async Task What_is_half_said_asks_nothing(string command)
    {
        Assert.NotEqual(0, await InvokeAsync(command));

        Assert.Empty(_endpoint.Asked);
    }

    [Fact]
    public async Task Nobody_there_is_told_with_what_to_do()
    {
        _endpoint.Fail = true;

        Assert.Equal(AdminCommand.ExitUnavailable, await InvokeAsync("stats"));

        Assert.Contains("--admin ADDRESS or ROUTER_ADMIN says where else", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("events --follow", "the connection broke off: Connection reset by peer (ResponseEnded)\n")]
    [InlineData("trace 192.0.2.7", "")]
    [InlineData("stats", "")]
    public async Task A_connection_that_is_reset_within_the_answer_is_told_as_one(string command, string told)
    {
        _endpoint.Answer(HttpStatusCode.OK, "data: {\"event\":\"a\"}\n\n");
        _endpoint.IsReset = true;

        Assert.Equal(AdminCommand.ExitUnavailable, await InvokeAsync(command));

        Assert.StartsWith($"http://127.0.0.1:27124: {told}", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("drain", "3 sessions are left\nended\n")]
    [InlineData("drain --json", "{")]
    public async Task A_drain_is_followed_to_its_end(string command, string output)
    {
        _endpoint.Answer(HttpStatusCode.Accepted, Sample);
        var drain = InvokeAsync(command);
        await Functional.Until.TrueAsync(() => _endpoint.Asked.Count == 2, () => "the first look");

        _endpoint.Fail = true;
        await Functional.Until.TrueAsync(() => _time.NextTimer is not null, () => "the wait for the second");
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(0, await drain);
        Assert.StartsWith(output, _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(command == "drain", _output.ToString().Contains("ended", StringComparison.Ordinal));
        Assert.Equal(["POST /drain", "GET /stats"], _endpoint.Asked);
    }

    /// <summary>In a container a router that is started again has the pid of the one before.</summary>
    [Theory]
    [InlineData(7, 6_000)]
    [InlineData(1, 100)]
    public async Task A_drain_has_ended_where_another_router_answers(int pid, int uptime)
    {
        _endpoint.Answer(HttpStatusCode.OK, RouterOf(1, 5_000));
        var drain = InvokeAsync("drain");
        for (var polls = 2; polls < 4; polls++)
        {
            await Functional.Until.TrueAsync(() => _endpoint.Asked.Count == polls, () => "it does not look");
            await Functional.Until.TrueAsync(() => _time.NextTimer is not null, () => "the wait for the next look");
            Assert.False(drain.IsCompleted);
            if (polls == 3)
            {
                _endpoint.Answer(HttpStatusCode.OK, RouterOf(pid, uptime));
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, await drain.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("3 sessions are left\nended\n", _output.ToString());

        static string RouterOf(int pid, int uptime) =>
            $$"""{ "process": { "pid": {{pid}} }, "uptime-ms": {{uptime}}, "total": { "sessions": 3 } }""";
    }

    private Task<int> InvokeAsync(string command)
    {
        var root = new RootCommand();
        foreach (var one in new AdminCommands(new AdminCommand(_output, _error, _ => _endpoint), _time).All())
        {
            root.Add(one);
        }

        return root.Parse([.. command.Split(' '), "--admin", "127.0.0.1:27124"]).InvokeAsync();
    }

    private sealed class Endpoint : HttpMessageHandler
    {
        private HttpStatusCode _status;
        private string _body = "";

        public List<string> Asked { get; } = [];

        public bool Fail { get; set; }

        /// <summary>The connection goes behind the answer, which is not at its end.</summary>
        public bool IsReset { get; set; }

        public void Answer(HttpStatusCode status, string body) => (_status, _body) = (status, body);

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Fail)
            {
                throw new HttpRequestException("Connection refused");
            }

            var body = request.Content is { } content ? " " + await content.ReadAsStringAsync(cancellationToken) : "";
            Asked.Add($"{request.Method} {request.RequestUri!.PathAndQuery}{body}");
            return new HttpResponseMessage(_status)
            {
                Content = IsReset
                    ? new StreamContent(new ResetStream(Encoding.UTF8.GetBytes(_body)))
                    : new StringContent(_body, Encoding.UTF8, "application/json"),
            };
        }

        private sealed class ResetStream(byte[] body) : MemoryStream(body)
        {
            public override async ValueTask<int> ReadAsync(
                Memory<byte> buffer, CancellationToken cancellationToken = default) =>
                await base.ReadAsync(buffer, cancellationToken) is > 0 and var read
                    ? read
                    : throw new IOException("Connection reset by peer");

            public override Task CopyToAsync(Stream to, int bufferSize, CancellationToken cancellationToken) =>
                throw new IOException("Connection reset by peer");
        }
    }
}

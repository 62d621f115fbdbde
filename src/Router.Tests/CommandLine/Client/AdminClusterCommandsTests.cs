using System.CommandLine;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Router.CommandLine.Client;

namespace Router.Tests.CommandLine.Client;

/// <summary>What the commands below <c>router cluster</c> ask, print, and how they end.</summary>
public sealed class AdminClusterCommandsTests : IDisposable
{
    private const string Cluster = """
        { "member": "a:1", "unanswered": ["c:3"], "members": [
          { "address": "a:1", "roles": ["router"], "status": "up", "reachable": true, "leader": true, "oldest": true,
            "facts": { "version": "1.2.3", "ready": false, "reasons": ["draining", "fenced"], "configuration": "ab12",
                       "configuration-differs": "keys", "sessions": 7 } },
          { "address": "b:2", "roles": ["router"], "status": "up", "reachable": true, "leader": false,
            "oldest": false, "facts": { "ready": true, "configuration": "ab12", "configuration-differs": null } },
          { "address": "c:3", "roles": ["router", "x"], "status": "leaving", "reachable": false, "leader": false,
            "oldest": false, "facts": null },
          { "address": "d:4", "roles": ["backend"], "status": "up", "reachable": true, "leader": false,
            "oldest": false, "facts": null }] }
        """;

    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly Endpoint _endpoint = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _endpoint.Dispose();
    }

    [Fact]
    public async Task Members_are_a_table_that_says_what_is_not_as_it_should_be()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;

        Assert.Equal(0, await InvokeAsync("members"));

        var lines = _output.ToString().Split('\n');
        Assert.Matches("^a:1 +up +leader oldest asked +1.2.3 +draining fenced +ab12 differs: keys +7 ", lines[1]);
        Assert.Matches("^b:2 +up +- +yes +ab12 +- ", lines[2]);
        Assert.Matches("^c:3 +leaving +unreachable +- +- ", lines[3]);
        Assert.Equal("no answer of c:3", lines[5]);
    }

    [Fact]
    public async Task Identities_are_asked_for_by_prefix_and_page()
    {
        _endpoint.Answers["GET /cluster/identities?prefix=d%2F&after=d%2F1&limit=5"] = """
            { "members": [{ "member": "a:1", "identities": 5, "attached": 2, "waiting": 0, "queued": 1 }],
              "identities": [{ "identity": "d/2", "member": "a:1", "session": "12ab", "peer": "192.0.2.7:5000",
                               "state": "attached", "epoch": 3, "revision": 9, "checkpoint-bytes": 2048 }],
              "next": "d/2", "unanswered": [] }
            """;

        Assert.Equal(0, await InvokeAsync("identities --prefix d/ --after d/1 --limit 5"));

        var lines = _output.ToString().Split('\n');
        Assert.Matches("^a:1 +5 +2 +0 +1$", lines[1]);
        Assert.Matches("^d/2 +a:1 +12ab +192.0.2.7:5000 +attached +3 +9 +2.0 KiB$", lines[4]);
        Assert.Equal("the next page: --after d/2", lines[5]);
    }

    [Fact]
    public async Task An_identity_is_its_entity_and_its_sessions()
    {
        _endpoint.Answers["GET /cluster/identity?name=a%26b"] = """
            { "identity": "a&b", "entities": [{ "member": "a:1", "state": "resting", "session": null, "epoch": 3,
              "revision": 9, "checkpoint-bytes": 7, "checkpoint-age-ms": 1500, "queued": 2 }], "sessions": [],
              "unanswered": [] }
            """;

        Assert.Equal(0, await InvokeAsync("identity a&b"));

        Assert.Matches("a:1 +resting +- +- +- +3 +9 +7 B +1.5s +2\n", _output.ToString());
    }

    [Fact]
    public async Task A_checkpoint_that_a_store_alone_has_is_told_of()
    {
        _endpoint.Answers["GET /cluster/identity?name=a"] = """
            { "identity": "a", "entities": [], "sessions": [],
              "stored": { "epoch": 3, "revision": 9, "checkpoint-bytes": 7 }, "unanswered": ["b:2"] }
            """;

        Assert.Equal(0, await InvokeAsync("identity a"));

        Assert.Contains(
            "no member has it; the store keeps epoch 3, revision 9, 7 bytes\nno answer of b:2\n", _output.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_tells_of_each_member_and_ends_with_1_at_the_first_that_refuses()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;
        Reloads("a:1", "done");
        Reloads("b:2", "refused");

        Assert.Equal(1, await InvokeAsync("reload"));

        Assert.Equal(
            ["GET /cluster", "POST /cluster/reload?member=a%3A1", "POST /cluster/reload?member=b%3A2"],
            _endpoint.Asked);
        Assert.Equal(
            "a:1 done; changed: router.x; faults: none\nb:2 refused; changed: router.x; faults: none\n"
            + "not reloaded: c:3\n",
            _output.ToString());
    }

    [Fact]
    public async Task A_reload_that_is_refused_after_some_have_reloaded_says_who_has_not()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;
        Reloads("a:1", "done");

        Assert.Equal(1, await InvokeAsync("reload"));   // b:2 has left: the endpoint answers 404

        Assert.Equal("a:1 done; changed: router.x; faults: none\nnot reloaded: b:2 c:3\n", $"{_output}");
        Assert.Equal("no cluster\n", $"{_error}");
    }

    [Fact]
    public async Task A_reload_that_is_refused_after_some_have_reloaded_has_them_in_its_JSON()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;
        Reloads("a:1", "done");

        Assert.Equal(1, await InvokeAsync("reload --json"));

        var report = JsonNode.Parse($"{_output}")!;
        Assert.False(report["applied"]!.GetValue<bool>());
        Assert.Equal("a:1", $"{Assert.Single(report["members"]!.AsArray())!["member"]}");
        Assert.Equal(["b:2", "c:3"], report["left"]!.AsArray().Select(static one => $"{one}"));
    }

    [Fact]
    public async Task A_reload_whose_endpoint_is_lost_tells_done_and_unknown_and_not_reloaded_apart()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;
        _endpoint.Lost = "POST /cluster/reload?member=b%3A2";
        Reloads("a:1", "done");

        Assert.Equal(69, await InvokeAsync("reload"));

        Assert.Equal(
            "a:1 done; changed: router.x; faults: none\n"
            + "b:2 no-answer; faults: the answer is lost: b:2 may have reloaded or not\nnot reloaded: c:3\n",
            $"{_output}");
        Assert.Contains("gone", $"{_error}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_refuses_to_answer_is_shown_with_why_and_is_asked_to_reload()
    {
        const string Silent = "\"unanswered\": [\"c:3\"]";
        Assert.Contains(Silent, Cluster, StringComparison.Ordinal);
        _endpoint.Answers["GET /cluster"] = Cluster.Replace(
            Silent, "\"unanswered\": [], \"refused\": [{ \"member\": \"c:3\", \"fault\": \"ask for less\" }]",
            StringComparison.Ordinal);
        Reloads("a:1", "done");
        Reloads("b:2", "done");
        Reloads("c:3", "done");

        Assert.Equal(0, await InvokeAsync("members"));
        Assert.Equal(0, await InvokeAsync("reload"));

        Assert.Contains("\nc:3 refuses to answer: ask for less\n", $"{_output}", StringComparison.Ordinal);
        Assert.DoesNotContain("no answer of", $"{_output}", StringComparison.Ordinal);
        Assert.Equal("POST /cluster/reload?member=c%3A3", _endpoint.Asked[^1]);
    }

    [Fact]
    public async Task A_reload_of_all_ends_with_0_and_is_one_object_as_JSON()
    {
        _endpoint.Answers["GET /cluster"] = Cluster;
        Reloads("a:1", "done");
        Reloads("b:2", "done");
        Reloads("c:3", "done");

        Assert.Equal(0, await InvokeAsync("reload --json"));

        Assert.StartsWith("{\n  \"applied\": true,\n  \"members\": [\n", _output.ToString());
    }

    [Theory]
    [InlineData("members")]
    [InlineData("identities")]
    [InlineData("identity x")]
    [InlineData("reload")]
    public async Task Without_a_cluster_they_end_with_1_and_say_so(string command)
    {
        Assert.Equal(1, await InvokeAsync(command));

        Assert.Equal("no cluster\n", _error.ToString());
    }

    private void Reloads(string member, string result) =>
        _endpoint.Answers[$"POST /cluster/reload?member={Uri.EscapeDataString(member)}"] = $$"""
            { "applied": true, "left": [], "members": [{ "member": "{{member}}", "result": "{{result}}",
              "changed": ["router.x"], "need-restart": [], "faults": ["none"] }] }
            """;

    private Task<int> InvokeAsync(string command)
    {
        var root = new RootCommand();
        foreach (var one in new AdminClusterCommands(new AdminCommand(_output, _error, _ => _endpoint)).All())
        {
            root.Add(one);
        }

        return root.Parse([.. command.Split(' '), "--admin", "127.0.0.1:27124"]).InvokeAsync();
    }

    private sealed class Endpoint : HttpMessageHandler
    {
        public Dictionary<string, string> Answers { get; } = new(StringComparer.Ordinal);

        public List<string> Asked { get; } = [];

        /// <summary>The request that nothing answers.</summary>
        public string? Lost { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
            if (Asked[^1] == Lost)
            {
                throw new HttpRequestException("gone");
            }

            var isKnown = Answers.TryGetValue(Asked[^1], out var body);
            return Task.FromResult(new HttpResponseMessage(isKnown ? HttpStatusCode.OK : HttpStatusCode.NotFound)
            {
                Content = new StringContent(
                    body ?? "{ \"detail\": \"no cluster\" }", Encoding.UTF8, "application/json"),
            });
        }
    }
}

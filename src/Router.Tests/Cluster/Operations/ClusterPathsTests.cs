using System.Net;
using System.Text.Json;
using Router.Cluster.Checkpoints;
using Router.Cluster.Operations;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster.Operations;

/// <summary>What an operator is told of a cluster, and has it do, at any member: two of them, of which one alone has
/// an admin endpoint.</summary>
public sealed class ClusterPathsTests(ClusterPathsTests.TwoMembers members)
    : IClassFixture<ClusterPathsTests.TwoMembers>
{
    private HostedMember One => members.One;

    private HostedMember Two => members.Two;

    [Fact]
    public async Task Members_are_listed_with_what_each_says_of_itself()
    {
        var (_, body) = await GetAsync("/cluster");

        Assert.Equal(One.Seed, Text(body, "member"));
        var listed = body.GetProperty("members").EnumerateArray().ToDictionary(static each => Text(each, "address"));
        Assert.Equal(new[] { One.Seed, Two.Seed }.Order(), listed.Keys.Order());
        Assert.Equal(
            [One.Seed], from each in listed where each.Value.GetProperty("oldest").GetBoolean() select each.Key);
        Assert.Single(listed.Values, static each => each.GetProperty("leader").GetBoolean());
        Assert.All(listed.Values, static each =>
        {
            Assert.Equal(
                ("up", "router", true),
                (Text(each, "status"), each.GetProperty("roles")[0].GetString(),
                    each.GetProperty("reachable").GetBoolean()));
            Assert.True(each.GetProperty("facts").GetProperty("ready").GetBoolean());
        });
        Assert.Equal("keys", Text(listed[Two.Seed].GetProperty("facts"), "configuration-differs"));   // drain-timeout
        Assert.Equal(
            JsonValueKind.Null, listed[One.Seed].GetProperty("facts").GetProperty("configuration-differs").ValueKind);
    }

    [Fact]
    public async Task Identities_of_all_members_are_counted_and_listed_page_by_page()
    {
        string[] names = ["list1", "list2", "list3"];
        using var before = One.Client();
        await AskAsync(before, "first");   // not of this prefix
        using var first = One.Client();
        using var second = Two.Client();
        using var third = One.Client();
        await AskAsync(first, names[0]);
        await AskAsync(second, names[1]);
        await AskAsync(third, names[2]);

        var (_, page) = await GetAsync("/cluster/identities?prefix=list&limit=2");
        var (_, rest) = await GetAsync($"/cluster/identities?prefix=list&limit=2&after={Text(page, "next")}");
        var (_, ofOne) = await GetAsync("/cluster/identities?prefix=first&limit=1");
        using var more = One.Client();
        await AskAsync(more, "first2");
        var (_, ofOneWithMore) = await GetAsync("/cluster/identities?prefix=first&limit=1");
        var (_, counts) = await GetAsync("/cluster/identities?limit=0");

        var listed = page.GetProperty("identities").EnumerateArray()
            .Concat(rest.GetProperty("identities").EnumerateArray())
            .ToList();
        Assert.Equal(names, listed.Select(static each => Text(each, "identity")));
        Assert.Equal([One.Seed, Two.Seed, One.Seed], listed.Select(static each => Text(each, "member")));
        Assert.Equal($"{second.LocalEndPoint}", Text(listed[1], "peer"));
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        Assert.Equal(JsonValueKind.Null, ofOne.GetProperty("next").ValueKind);
        Assert.Equal("first", Text(ofOneWithMore, "next"));   // the member alone knows that there are more
        Assert.Empty(counts.GetProperty("identities").EnumerateArray());
        Assert.True(counts.GetProperty("members").EnumerateArray().Sum(static each => Number(each, "attached")) >= 3);
        Assert.True(counts.GetProperty("members").EnumerateArray().Sum(static each => Number(each, "identities")) >= 3);
    }

    [Fact]
    public async Task An_identity_is_told_of_wherever_it_is_and_none_is_made_for_the_question()
    {
        using var first = One.Client();
        using var second = Two.Client();
        await AskAsync(first, "moves");
        await AskAsync(second, "moves");

        Router.Cluster.RouterCluster.Get(Two.System).Identity("waits for it").Tell("a message");
        await Until.TrueAsync(
            () => One.Engine.Member!.Counters.Queued + Two.Engine.Member!.Counters.Queued == 1,
            () => "the message does not wait");
        var entities = Entities();

        var (_, moved) = await GetAsync("/cluster/identity?name=moves");
        var (_, waits) = await GetAsync("/cluster/identity?name=waits%20for%20it");
        var (status, problem) = await GetAsync("/cluster/identity?name=nobody");

        var entity = Assert.Single(moved.GetProperty("entities").EnumerateArray());
        Assert.Equal(
            ("attached", Two.Seed, $"{second.LocalEndPoint}", 2, 0),
            (Text(entity, "state"), Text(entity, "session-member"), Text(entity, "peer"), Number(entity, "epoch"),
                Number(entity, "queued")));
        Assert.Contains(
            moved.GetProperty("sessions").EnumerateArray(),
            each => Text(each, "state") == "attached" && Text(each, "session") == Text(entity, "session"));
        Assert.Equal(1, Number(waits.GetProperty("entities")[0], "queued"));
        Assert.Equal("resting", Text(waits.GetProperty("entities")[0], "state"));
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("'nobody'", Text(problem, "detail"), StringComparison.Ordinal);
        Assert.Equal(entities, Entities());
    }

    [Fact]
    public async Task Sessions_of_all_members_are_one_sorted_page()
    {
        using var first = One.Client();
        using var second = Two.Client();
        await AskAsync(first, "pages1");
        await AskAsync(second, "pages2 and more than the other");

        var (_, page) = await GetAsync("/sessions?cluster=true&sort=bytes&identity=pages2");
        var (_, one) = await GetAsync("/sessions?cluster=true&sort=bytes&limit=1");
        var (_, all) = await GetAsync("/sessions?cluster=true&sort=bytes");

        var session = Assert.Single(page.GetProperty("sessions").EnumerateArray());
        Assert.Equal((Two.Seed, $"{second.LocalEndPoint}"), (Text(session, "member"), Text(session, "peer")));
        Assert.Equal(1, Number(page, "matched"));
        Assert.Equal(2, page.GetProperty("members").GetArrayLength());
        var bytes = all.GetProperty("sessions").EnumerateArray()
            .Select(static each => Number(each, "bytes-in") + Number(each, "bytes-out"))
            .ToList();
        Assert.Equal(bytes.OrderDescending(), bytes);
        var largest = Assert.Single(one.GetProperty("sessions").EnumerateArray());
        Assert.Equal(bytes[0], Number(largest, "bytes-in") + Number(largest, "bytes-out"));
        Assert.True(Number(one, "matched") >= 2);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("/sessions?cluster=true&sort=x")).Status);
    }

    [Fact]
    public async Task A_reload_goes_from_member_to_member_until_one_refuses()
    {
        var last = new[] { One, Two }.MaxBy(static each => int.Parse(each.Seed.Split(':')[1]))!;
        last.Change("max-sessions = 5", "max-sessions = five");

        var (status, refused) = await PostAsync("/cluster/reload");
        last.Change("max-sessions = five", "max-sessions = 5");
        var (_, done) = await PostAsync("/cluster/reload");
        var (_, one) = await PostAsync($"/cluster/reload?member={Two.Seed}");
        var (unknown, _) = await PostAsync("/cluster/reload?member=127.0.0.1:1");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.False(refused.GetProperty("applied").GetBoolean());
        Assert.Equal(
            ["done", "refused"],
            refused.GetProperty("members").EnumerateArray().Select(static each => Text(each, "result")));
        Assert.Contains(
            "max-sessions", refused.GetProperty("members")[1].GetProperty("faults")[0].GetString(),
            StringComparison.Ordinal);
        Assert.True(done.GetProperty("applied").GetBoolean());
        Assert.Equal(2, done.GetProperty("members").GetArrayLength());
        Assert.Equal(Two.Seed, Text(Assert.Single(one.GetProperty("members").EnumerateArray()), "member"));
        Assert.Equal(HttpStatusCode.NotFound, unknown);
        Assert.Contains($"at {One.Seed}", Two.Log.Texts("admin-changed")[0], StringComparison.Ordinal);
        Assert.Contains(
            One.Log.Texts("admin-changed"),
            text => text.Contains($"cluster-reload of {Two.Seed}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_that_refuses_first_leaves_the_others_as_they_are()
    {
        var first = new[] { One, Two }.MinBy(static each => int.Parse(each.Seed.Split(':')[1]))!;
        first.Change("max-sessions = 5", "max-sessions = five");
        var (_, refused) = await PostAsync("/cluster/reload");
        first.Change("max-sessions = five", "max-sessions = 5");

        Assert.Equal(first.Seed, Text(Assert.Single(refused.GetProperty("members").EnumerateArray()), "member"));
        Assert.Single(refused.GetProperty("left").EnumerateArray());
    }

    [Fact]
    public async Task A_member_that_does_not_answer_is_named()
    {
        await using var three = await StartAsync(One.Seed, "max-sessions = 5");
        await One.IsAmongAsync(3);
        await three.System.ActorSelection("/user/router-operations").ResolveOne(RunningPatience)
            .ContinueWith(found => three.System.Stop(found.Result), TaskScheduler.Default);

        var answers = await One.Engine.Member!.Asks.AskAllAsync(
            new MemberQuestion("identity", "x"), TimeSpan.FromMilliseconds(300), CancellationToken.None);

        Assert.Equal(
            [three.Seed],
            from each in answers
            where each.Answer is null
            select Router.Cluster.Members.MemberTable.TextOf(each.Member.Address));
    }

    [Fact]
    public async Task A_member_that_refuses_to_answer_is_named_with_why()
    {
        await using var member = await StartAsync(
            null, "max-sessions = 5", keys: "admin.bind = \"127.0.0.1:0\"");
        await member.IsAmongAsync(1);
        using var admin = await member.AdminAsync();
        var operations = await member.System.ActorSelection("/user/router-operations").ResolveOne(RunningPatience);
        member.System.Stop(operations);
        var guardian = (ActorRefWithCell)((ExtendedActorSystem)member.System).Guardian;
        await Until.TrueAsync(
            () => guardian.GetSingleChild("router-operations").IsNobody(), () => "the actor still has its name");
        member.Engine.Member!.Answer(static (_, _) => Task.FromResult(new MemberAnswer(200, new string('x', 1 << 20))));

        var (_, cluster) = await SendAsync(admin, HttpMethod.Get, "/cluster");
        var (_, identities) = await SendAsync(admin, HttpMethod.Get, "/cluster/identities");
        var (_, nobody) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=nobody");

        Assert.All(new[] { cluster, identities }, body =>
        {
            var refused = Assert.Single(body.GetProperty("refused").EnumerateArray());
            Assert.Equal(member.Seed, Text(refused, "member"));
            Assert.Contains("ask for less", Text(refused, "fault"), StringComparison.Ordinal);
            Assert.Empty(body.GetProperty("unanswered").EnumerateArray());
        });
        Assert.Contains($"; {member.Seed} refuses to answer: it is longer", Text(nobody, "detail"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_that_nobody_holds_is_looked_for_in_the_store()
    {
        var folder = Directory.CreateTempSubdirectory("router-store");
        try
        {
            var path = Path.Combine(folder.FullName, "kept.db");
            await using (var store = new SqliteCheckpoints(path))
            {
                await store.WriteAsync([new Checkpoint("kept", 4, 9, new byte[] { 1, 2, 3 })], default);
            }

            await using var member = await StartAsync(
                null, "max-sessions = 5", $"checkpoints = sqlite, sqlite.file = \"{path}\"",
                keys: "admin.bind = \"127.0.0.1:0\"");
            await member.IsAmongAsync(1);
            using var admin = await member.AdminAsync();
            var (found, kept) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=kept");
            var (unknown, _) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=other");

            Assert.Equal(
                (HttpStatusCode.OK, 4, 9, 3),
                (found, Stored("epoch"), Stored("revision"), Stored("checkpoint-bytes")));
            Assert.Empty(kept.GetProperty("entities").EnumerateArray());
            Assert.Equal(HttpStatusCode.NotFound, unknown);

            int Stored(string key) => Number(kept.GetProperty("stored"), key);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task That_the_store_does_not_answer_is_said()
    {
        using var file = new TextFile(new string('x', 10_000));   // no database
        await using var member = await StartAsync(
            null, "max-sessions = 5", $"checkpoints = sqlite, sqlite.file = \"{file.Path}\"",
            keys: "admin.bind = \"127.0.0.1:0\"");
        await member.IsAmongAsync(1);
        using var admin = await member.AdminAsync();

        var (status, problem) = await SendAsync(admin, HttpMethod.Get, "/cluster/identity?name=kept");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("The store does not answer", Text(problem, "title"));
        Assert.Contains(
            "no member has a session or a state of 'kept'", Text(problem, "detail"), StringComparison.Ordinal);
    }

    private static TimeSpan RunningPatience => RunningProcess.Patience;

    private long Entities() => One.Engine.Member!.Counters.Entities + Two.Engine.Member!.Counters.Entities;

    private static string Text(JsonElement element, string key) => element.GetProperty(key).GetString()!;

    private static int Number(JsonElement element, string key) => element.GetProperty(key).GetInt32();

    private Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    private Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path) => SendAsync(HttpMethod.Post, path);

    private Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string path) =>
        SendAsync(members.Admin, method, path);

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpClient admin, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var reply = await admin.SendAsync(request);
        using var document = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        return (reply.StatusCode, document.RootElement.Clone());
    }

    /// <summary>Started once for all.</summary>
    public sealed class TwoMembers : IAsyncLifetime
    {
        private const string Listener = "max-sessions = 5, identity { first-line = \"^(\\\\w+)\" }";

        internal HostedMember One { get; private set; } = null!;

        internal HostedMember Two { get; private set; } = null!;

        internal HttpClient Admin { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            One = await StartAsync(null, Listener, keys: "admin.bind = \"127.0.0.1:0\"");
            Two = await StartAsync(One.Seed, Listener, keys: "drain-timeout = 6s");
            Admin = await One.AdminAsync();
            await One.IsAmongAsync(2);
            await Two.IsAmongAsync(2);
            await Until.TrueAsync(
                () => One.Engine.Fence!.IsOpen && Two.Engine.Fence!.IsOpen, () => "the fences are shut");
        }

        public async Task DisposeAsync()
        {
            Admin.Dispose();
            await Two.DisposeAsync();
            await One.DisposeAsync();
        }
    }
}

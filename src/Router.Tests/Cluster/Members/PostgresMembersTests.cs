using Router.Cluster.Members;
using Router.Configuration;
using Router.Tests.Cluster.Checkpoints;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Members;

[Collection(PostgresTests.Name)]
public sealed class PostgresMembersTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(10);

    private readonly string _table = server.NextTable();
    private readonly List<PostgresMembers> _all = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var member in _all)
        {
            await member.DisposeAsync();
        }
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task Of_many_that_start_at_once_one_begins_and_the_others_ask_it()
    {
        await server.StartAsync();
        var members = Enumerable.Range(1, 10).Select(static i => $"10.0.0.{i}").Select(Of).ToList();

        var looks = await Task.WhenAll(members.Select(LookAsync));

        var beginner = Assert.Single(looks, static look => look.MayBegin);
        var address = $"10.0.0.{Array.IndexOf(looks, beginner) + 1}:27200";
        for (var round = 0; round < 3; round++)
        {
            looks = await Task.WhenAll(members.Select(LookAsync));
            Assert.Single(looks, static look => look.MayBegin);
            Assert.All(looks.Where(static look => !look.MayBegin), look => Assert.Equal(
                [address], look.Others.Select(static other => $"{other}")));
        }
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task Who_is_in_is_asked_and_one_that_has_left_is_not()
    {
        await server.StartAsync();
        var (first, second, third) = (Of("10.0.0.1"), Of("10.0.0.2"), Of("10.0.0.3"));
        Assert.True((await LookAsync(first)).MayBegin);
        await first.LookAsync(isMember: true, CancellationToken.None);
        Assert.False((await LookAsync(second)).MayBegin);
        await second.LookAsync(isMember: true, CancellationToken.None);
        Assert.Equal(["10.0.0.1:27200", "10.0.0.2:27200"], await OthersAsync(third));

        await first.LeaveAsync(CancellationToken.None);

        Assert.Equal(["10.0.0.2:27200"], await OthersAsync(third));
        Assert.False((await LookAsync(third)).MayBegin);
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task Where_the_one_that_was_to_begin_is_gone_another_does_and_asks_all_there_were()
    {
        await server.StartAsync();
        var (first, second) = (Of("10.0.0.1"), Of("10.0.0.2"));
        Assert.True((await LookAsync(first)).MayBegin);
        Assert.False((await LookAsync(second)).MayBegin);

        await server.QueryAsync(
            $"update {_table} set seen = clock_timestamp() - interval '11 seconds' where address = '10.0.0.1:27200'");

        var look = await LookAsync(second);
        Assert.True(look.MayBegin);
        Assert.Equal(["10.0.0.1:27200"], look.Others.Select(static other => $"{other}"));
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task However_many_are_left_of_members_that_are_gone_the_one_that_is_in_is_seen()
    {
        await server.StartAsync();
        var (first, second) = (Of("10.0.0.1"), Of("10.0.0.2"));
        await LookAsync(second);
        await server.QueryAsync($"delete from {_table}");
        await server.QueryAsync(
            $"insert into {_table} (address, state, seen) select '10.1.0.' || i || ':27200', 'member', "
            + "clock_timestamp() - interval '1 hour' from generate_series(1, 300) as i");
        Assert.True((await LookAsync(first)).MayBegin);
        await first.LookAsync(isMember: true, CancellationToken.None);

        var look = await LookAsync(second);
        Assert.False(look.MayBegin);
        Assert.Equal(["10.0.0.1:27200"], look.Others.Select(static other => $"{other}"));
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task A_member_that_starts_anew_waits_as_a_new_one()
    {
        await server.StartAsync();
        var (first, second) = (Of("10.0.0.1"), Of("10.0.0.2"));
        await LookAsync(first);
        await LookAsync(second);
        await second.LookAsync(isMember: true, CancellationToken.None);

        var again = await LookAsync(Of("10.0.0.1"));

        Assert.False(again.MayBegin);
        Assert.Equal(["10.0.0.2:27200"], again.Others.Select(static other => $"{other}"));
    }

    [RequiresToolFact("initdb", "postgres")]
    public async Task Without_the_database_a_look_fails()
    {
        await server.StartAsync();
        var member = Of("10.0.0.1");
        await server.KillAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => LookAsync(member));

        await server.StartAsync();
        Assert.True((await LookAsync(member)).MayBegin);
    }

    private static Task<MemberLook> LookAsync(PostgresMembers member) =>
        member.LookAsync(isMember: false, CancellationToken.None);

    private static async Task<IEnumerable<string>> OthersAsync(PostgresMembers member) =>
        (await LookAsync(member)).Others.Select(static other => $"{other}");

    private PostgresMembers Of(string host)
    {
        var member = new PostgresMembers(server.Connection(), _table, new ClusterAddress(host, 27200), StaleAfter);
        _all.Add(member);
        return member;
    }
}

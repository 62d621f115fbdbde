using Npgsql;
using Router.Cluster.Checkpoints;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Checkpoints;

[Collection(PostgresTests.Name)]
[ContractTools("initdb", "postgres", "setpriv")]
public sealed class PostgresCheckpointsTests(PostgresServer server) : CheckpointContract
{
    private readonly string _table = server.NextTable();

    public override Task InitializeAsync() => server.StartAsync();

    [ContractFact]
    public async Task Members_that_start_at_once_make_one_table()
    {
        var stores = Enumerable.Range(0, 12).Select(_ => Another()).ToArray();

        var claimed = await Task.WhenAll(stores.Select(
            static store => Task.Run(async () => await store.ClaimAsync([("a", 1)], default))));

        Assert.Equal(
            Enumerable.Range(1, stores.Length),
            claimed.Select(static rows => (int)Assert.Single(rows).Epoch).Order());
    }

    [ContractFact]
    public async Task A_table_in_a_schema_with_a_name_that_is_a_word_of_SQL_will_do()
    {
        await server.QueryAsync("create schema \"table\" authorization router");
        await using var store = new PostgresCheckpoints(server.Connection(), "table.order");

        await store.ClaimAsync([("a", 1)], default);

        Assert.Equal(1L, await server.QueryAsync("select count(*) from \"table\".\"order\""));
    }

    [ContractFact]
    public async Task A_table_that_is_there_takes_no_right_to_make_one()
    {
        await ClaimAsync("a");
        await server.QueryAsync(
            $"create role guest login; grant select, insert, update, delete on {_table} to guest;" +
            "revoke create on schema public from public");
        await using var store = new PostgresCheckpoints(server.Connection("guest"), _table);

        Assert.Equal(2, Assert.Single(await store.ClaimAsync([("a", 1)], default)).Epoch);
        await store.WriteAsync([Row("a", 2, 1, "a")], default);
        await store.ForgetAsync([("a", 2)], default);
    }

    [ContractFact]
    public async Task A_table_that_was_dropped_is_made_again()
    {
        await ClaimAsync("a");
        await server.QueryAsync($"drop table {_table}");

        await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync("a"));
        Assert.Equal(1, (await ClaimAsync("a")).Epoch);
    }

    [ContractFact]
    public async Task What_the_server_will_never_take_is_told_from_a_server_that_is_not_to_be_had()
    {
        await ClaimAsync("a");

        await Assert.ThrowsAsync<CheckpointsRefusedException>(() => ClaimAsync("nul\0"));
        await server.QueryAsync($"alter table {_table} add check (length(state) < 4)");
        await Assert.ThrowsAsync<CheckpointsRefusedException>(() => WriteAsync("a", 1, 1, "long"));
        Assert.True(await WriteAsync("a", 1, 1, "sho"));
    }

    [ContractFact]
    public async Task A_row_that_somebody_holds_fails_within_seconds_and_leaves_nothing_waiting_at_the_server()
    {
        await ClaimAsync("a");
        await using var other = new NpgsqlConnection(server.Connection() + ";Pooling=false");
        await other.OpenAsync();
        await using (var transaction = await other.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand($"select * from {_table} for update", other);
            await hold.ExecuteNonQueryAsync();
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => ClaimAsync("a").WaitAsync(TimeSpan.FromSeconds(10)));
            await Until.TrueAsync(
                () => server.QueryAsync("select count(*) from pg_locks where not granted").Result is 0L,
                static () => "a statement still waits");
        }

        Assert.Equal(2, (await ClaimAsync("a")).Epoch);
    }

    private protected override ICheckpointStore Open() => new PostgresCheckpoints(server.Connection(), _table);
}

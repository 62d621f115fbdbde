using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using Router.Cluster.Checkpoints;
using Router.Tests.Diagnostics;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>Queues over a server that is killed, stopped, and cuts connections: what a member owes its sessions then.
/// </summary>
[Collection(PostgresTests.Name)]
[ContractTools("initdb", "postgres", "setpriv")]
public sealed class PostgresFaultTests(PostgresServer server) : IAsyncLifetime
{
    /// <summary>All is as before so soon after the store is back: hardening's bound.</summary>
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(2);

    private readonly string _table = server.NextTable();
    private readonly LineLogger _log = new("Router");
    private readonly List<(CheckpointQueue Queue, ICheckpointStore Store)> _members = [];

    public Task InitializeAsync() => server.StartAsync();

    public async Task DisposeAsync()
    {
        await server.StartAsync();
        server.Continue();
        foreach (var (queue, store) in _members)
        {
            await queue.StopAsync(TimeSpan.Zero);
            await store.DisposeAsync();
        }
    }

    [ContractFact]
    public async Task A_server_that_is_killed_and_comes_back_has_the_latest_of_all_within_two_seconds()
    {
        var member = new Sessions(Queue(), 500);
        await member.ClaimAllAsync();
        var writing = member.WriteUntilAsync();
        await server.KillAsync();
        await Until.TrueAsync(() => member.Queue.Counts.IsAway, static () => "the loss is seen");
        await Until.PassedAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(0, member.Queue.Counts.Lost);

        await server.StartAsync();

        await BackAsync(member.Queue);
        await member.StopWritingAsync(writing);
        await AssertKeptAsync(member);
        Assert.Equal(["checkpoint-store-lost", "checkpoint-store-back"], QueueRig.EventsOf(_log));
    }

    [ContractFact]
    public async Task Beyond_its_limit_what_a_server_that_is_away_misses_is_counted()
    {
        var member = new Sessions(Queue(QueueRig.Settings with { Rows = 300 }), 500);
        await server.KillAsync();

        Assert.Equal(300, member.WriteAll());

        Assert.Equal(200, member.Queue.Counts.Lost);
        await server.StartAsync();
        await BackAsync(member.Queue, rows: 300);
        Assert.Equal(300, member.Queue.Counts.Written);
        await AssertKeptAsync(member);
    }

    [ContractFact]
    public async Task Connections_that_are_cut_cost_no_checkpoint_and_make_nobody_stale()
    {
        var members = Enumerable.Range(0, 2).Select(i => new Sessions(Queue(), 300, $"m{i}-")).ToArray();
        await Task.WhenAll(members.Select(static member => member.ClaimAllAsync()));
        var writing = members.Select(static member => member.WriteUntilAsync()).ToArray();

        for (var round = 0; round < 20; round++)
        {
            var before = members.Select(static member => member.Queue.Counts.Written).ToArray();
            await CutAsync();
            await Until.TrueAsync(
                () => members.Zip(before).All(static pair => pair.First.Queue.Counts.Written > pair.Second + 1_000),
                static () => "both write on");
        }

        foreach (var (member, writer) in members.Zip(writing))
        {
            await member.StopWritingAsync(writer);
            await AssertKeptAsync(member);
            Assert.Equal((0, 0), (member.Queue.Counts.Stale, member.Queue.Counts.Lost));
            Assert.NotEqual(0, member.Queue.Counts.Retries);
        }
    }

    [ContractFact]
    public async Task A_server_that_stands_still_and_goes_on_has_the_latest_of_all_within_two_seconds()
    {
        var member = new Sessions(Queue(), 500);
        await member.ClaimAllAsync();
        var writing = member.WriteUntilAsync();
        server.Stop();
        Assert.InRange(
            await Until.TrueAsync(() => member.Queue.Counts.IsAway, static () => "the loss is seen"),
            TimeSpan.Zero,
            TimeSpan.FromSeconds(4));
        await Until.PassedAsync(TimeSpan.FromSeconds(2));
        var claims = new Sessions(member.Queue, 100, "new-").ClaimAllAsync();

        server.Continue();

        await BackAsync(member.Queue);
        await claims;
        await member.StopWritingAsync(writing);
        await AssertKeptAsync(member);
        Assert.Equal((0, 0), (member.Queue.Counts.Stale, member.Queue.Counts.Lost));
        Assert.Equal(["checkpoint-store-lost", "checkpoint-store-back"], QueueRig.EventsOf(_log));
    }

    /// <summary>The server's process of the old connection has the claim, and would do it when it goes on.</summary>
    [ContractFact]
    public async Task A_claim_that_was_given_up_is_not_done_after_the_one_that_took_its_place()
    {
        var member = new Sessions(Queue(QueueRig.Settings with { ClaimTimeout = TimeSpan.FromSeconds(30) }), 1);
        await member.ClaimAllAsync();
        var backend = (int)(await server.QueryAsync(
            "select pid from pg_stat_activity where usename = 'router' order by backend_start desc limit 1"))!;
        Signal(backend, TestLibc.SigStop);

        var claim = member.ClaimAllAsync();
        await Until.TrueAsync(() => claim.IsCompleted || member.Queue.Counts.Retries > 1, static () => "a second try");
        Signal(backend, TestLibc.SigCont);

        await claim;
        await Until.TrueAsync(() => !Directory.Exists($"/proc/{backend}"), static () => "the end of the old process");
        Assert.Equal(1, member.WriteAll());
        await member.IdleAsync();
        Assert.Equal((1, 0), (member.Queue.Counts.Written, member.Queue.Counts.Stale));
    }

    [ContractFact]
    public async Task Two_members_that_claim_the_same_identities_while_connections_are_cut_never_get_the_same_epoch()
    {
        var members = Enumerable.Range(0, 2).Select(_ => new Sessions(Queue(), 100)).ToArray();
        var claiming = members.Select(static member => Task.Run(async () =>
        {
            for (var round = 0; round < 30; round++)
            {
                await member.ClaimAllAsync();
                member.WriteAll();
            }

            await member.IdleAsync();
        })).ToArray();
        var cuts = 0;
        while (!claiming.All(static task => task.IsCompleted))
        {
            await CutAsync();
            await Until.PassedAsync(TimeSpan.FromMilliseconds(20 + cuts++));
        }

        await Task.WhenAll(claiming);
        var epochs = members.SelectMany(static member => member.Epochs).ToList();
        Assert.Equal(2 * 30 * 100, epochs.Count);
        Assert.Equal(epochs.Count, epochs.Distinct().Count());
    }

    private CheckpointQueue Queue(CheckpointQueueSettings? settings = null)
    {
        var store = new PostgresCheckpoints(server.Connection(), _table);
        var queue = new CheckpointQueue(
            "postgres", store, settings ?? QueueRig.Settings, TimeProvider.System, _log);
        _members.Add((queue, store));
        return queue;
    }

    /// <summary>Ends the processes of all members' connections.</summary>
    private Task CutAsync() => server.QueryAsync(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'router'");

    /// <param name="rows">So many must have been written.</param>
    private static async Task BackAsync(CheckpointQueue queue, int rows = 500)
    {
        var written = queue.Counts.Written;
        var took = await Until.TrueAsync(
            () => queue.Counts is { IsAway: false } counts && counts.Written >= written + rows,
            () => $"the return: {queue.Counts}");
        Assert.InRange(took, TimeSpan.Zero, BackWithin);
    }

    /// <summary>The table has what was written last of every session.</summary>
    private async Task AssertKeptAsync(Sessions member)
    {
        await using var connection = new NpgsqlConnection(server.Connection() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"select id, epoch, revision from {_table}", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var kept = new Dictionary<string, (long, long)>();
        while (await rows.ReadAsync())
        {
            kept[rows.GetString(0)] = (rows.GetInt64(1), rows.GetInt64(2));
        }

        Assert.All(member.Latest, latest => Assert.Equal(latest.Value, kept[latest.Key]));
    }

    private static void Signal(int process, int signal) => Assert.Equal(0, TestLibc.Kill(process, signal));

    /// <summary>Sessions of one member, each with an identity that it claims and checkpoints.</summary>
    private sealed class Sessions(CheckpointQueue queue, int count, string prefix = "s") : ICheckpointOwner
    {
        private readonly string[] _names =
            [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}"))];

        private readonly ConcurrentDictionary<string, long> _epochs = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _claims = new(StringComparer.Ordinal);
        private volatile bool _isDone;
        private long _revision;

        public CheckpointQueue Queue => queue;

        /// <summary>Epoch and revision that each wrote last.</summary>
        public ConcurrentDictionary<string, (long Epoch, long Revision)> Latest { get; } = new(StringComparer.Ordinal);

        public ConcurrentBag<(string Identity, long Epoch)> Epochs { get; } = [];

        /// <summary>All claims are answered when this returns.</summary>
        public Task ClaimAllAsync() => Task.WhenAll(_names.Select(name =>
        {
            var claim = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _claims[name] = claim;
            Assert.True(queue.Claim(name, 1, this));
            return claim.Task;
        }));

        /// <returns>How many found room.</returns>
        public int WriteAll()
        {
            var revision = Interlocked.Increment(ref _revision);
            var room = 0;
            foreach (var name in _names)
            {
                var epoch = _epochs.GetValueOrDefault(name, 1);
                if (queue.Write(QueueRig.Row(name, epoch, revision, new string('x', 256)), this))
                {
                    Latest[name] = (epoch, revision);
                    room++;
                }
            }

            return room;
        }

        /// <summary>Writes all, again and again, while the queue goes on; once more after the last claim.</summary>
        public Task WriteUntilAsync() => Task.Run(async () =>
        {
            while (!_isDone)
            {
                WriteAll();
                await Until.PassedAsync(TimeSpan.FromMilliseconds(10));
            }
        });

        public async Task StopWritingAsync(Task writing)
        {
            _isDone = true;
            await writing;
            WriteAll();
            await IdleAsync();
        }

        public Task IdleAsync() => Until.TrueAsync(() => queue.Counts.Queued == 0, () => $"idle: {queue.Counts}");

        public void OnClaimed(Checkpoint claimed)
        {
            _epochs[claimed.Identity] = claimed.Epoch;
            Epochs.Add((claimed.Identity, claimed.Epoch));
            _claims[claimed.Identity].TrySetResult();
        }

        public void OnClaimLost(string identity) =>
            _claims[identity].TrySetException(new InvalidOperationException($"the claim of {identity} is lost"));

        public void OnWritten(Checkpoint checkpoint, WriteResult result)
        {
            // the queue counts
        }
    }
}

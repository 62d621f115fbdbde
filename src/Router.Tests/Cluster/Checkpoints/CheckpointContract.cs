using System.Text;
using Router.Cluster.Checkpoints;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>What every store of checkpoints promises.</summary>
public abstract class CheckpointContract : IAsyncLifetime
{
    private readonly List<ICheckpointStore> _opened = [];
    private ICheckpointStore? _store;

    private ICheckpointStore Store => _store ??= Another();

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var store in _opened)
        {
            await store.DisposeAsync();
        }
    }

    [ContractFact]
    public async Task The_first_claim_of_an_identity_gets_epoch_1_and_no_state()
    {
        var claimed = await ClaimAsync("a");

        Assert.Equal(("a", 1, 0), (claimed.Identity, claimed.Epoch, claimed.Revision));
        Assert.True(claimed.State.IsEmpty);
    }

    [ContractFact]
    public async Task Each_claim_gets_an_epoch_more_and_at_least_what_it_asks_for()
    {
        Assert.Equal(1, (await ClaimAsync("a", lowest: -5)).Epoch);
        Assert.Equal(2, (await ClaimAsync("a", lowest: 1)).Epoch);
        Assert.Equal(10, (await ClaimAsync("a", lowest: 10)).Epoch);
        Assert.Equal(11, (await ClaimAsync("a", lowest: 10)).Epoch);
        Assert.Equal(1L << 60, (await ClaimAsync("b", lowest: 1L << 60)).Epoch);
    }

    [ContractFact]
    public async Task A_claim_returns_what_was_written_last()
    {
        await ClaimAsync("a");
        Assert.True(await WriteAsync("a", 1, 1, "one"));
        Assert.True(await WriteAsync("a", 1, 7, "seven"));

        await AssertKeptAsync("a", 2, 7, "seven");
        await AssertKeptAsync("a", 3, 7, "seven");
    }

    [ContractFact]
    public async Task A_write_whose_epoch_is_over_is_refused_and_changes_nothing()
    {
        await ClaimAsync("a");
        await WriteAsync("a", 1, 1, "old");
        await ClaimAsync("a");

        Assert.False(await WriteAsync("a", 1, 2, "stale"));
        Assert.False(await WriteAsync("a", 1, 1, "old"));
        await AssertKeptAsync("a", 3, 1, "old");
    }

    [ContractFact]
    public async Task Of_one_epoch_the_highest_revision_is_kept_whatever_comes_later()
    {
        await WriteAsync("a", 1, 5, "five");

        Assert.True(await WriteAsync("a", 1, 5, "again"));
        Assert.True(await WriteAsync("a", 1, 4, "four"));
        await AssertKeptAsync("a", 2, 5, "five");
    }

    [ContractFact]
    public async Task A_higher_epoch_wins_over_a_higher_revision()
    {
        await WriteAsync("a", 1, 500, "old");

        Assert.True(await WriteAsync("a", 3, 1, "new"));
        Assert.False(await WriteAsync("a", 2, 900, "between"));
        await AssertKeptAsync("a", 4, 1, "new");
    }

    [ContractFact]
    public async Task The_first_write_after_a_claim_may_have_the_revision_that_was_claimed()
    {
        await WriteAsync("a", 1, 5, "five");
        await ClaimAsync("a");

        Assert.True(await WriteAsync("a", 2, 6, "six"));
        await AssertKeptAsync("a", 3, 6, "six");
    }

    [ContractFact]
    public async Task Results_are_in_the_order_of_the_batch()
    {
        await Store.ClaimAsync([("z", 3), ("a", 1), ("m", 5)], default);

        var claimed = await Store.ClaimAsync([("m", 1), ("z", 1), ("new", 1), ("a", 1)], default);
        var kept = await Store.WriteAsync(
            [
                Row("z", 4, 1, "z"), Row("m", 5, 1, "m"), Row("other", 1, 1, "o"), Row("a", 1, 1, "a"),
                Row("new", 1, 1, "n"),
            ],
            default);

        Assert.Equal(
            [("m", 6), ("z", 4), ("new", 1), ("a", 2)], claimed.Select(static c => (c.Identity, (int)c.Epoch)));
        Assert.Equal([true, false, true, false, true], kept);
    }

    [ContractFact]
    public async Task A_look_finds_what_is_kept_and_claims_nothing()
    {
        Assert.Null(await Store.FindAsync("a", default));
        await ClaimAsync("a");
        await WriteAsync("a", 1, 7, "seven");
        await ClaimAsync("b");

        var found = await Store.FindAsync("a", default);
        var empty = await Store.FindAsync("b", default);

        Assert.Equal(("a", 1, 7), (found!.Identity, found.Epoch, found.Revision));
        Assert.Equal("seven", Encoding.UTF8.GetString(found.State.Span));
        Assert.Equal((1, 0, true), (empty!.Epoch, empty.Revision, empty.State.IsEmpty));
        Assert.Null(await Store.FindAsync("c", default));
        Assert.True(await WriteAsync("a", 1, 8, "eight"));
    }

    [ContractFact]
    public async Task An_identity_is_forgotten_unless_it_was_claimed_since()
    {
        await Store.WriteAsync([Row("a", 4, 1, "a"), Row("b", 4, 1, "b")], default);

        await Store.ForgetAsync([("b", 3), ("a", 4), ("nobody", 1)], default);

        await AssertKeptAsync("a", 1, 0, "");
        await AssertKeptAsync("b", 5, 1, "b");
    }

    [ContractFact]
    public async Task Empty_batches_are_nothing()
    {
        Assert.Empty(await Store.ClaimAsync([], default));
        Assert.Empty(await Store.WriteAsync([], default));
        await Store.ForgetAsync([], default);
    }

    [ContractFact]
    public async Task A_batch_has_thousands_of_rows_and_states_of_all_sizes()
    {
        const int Rows = 2_000;
        var random = new Random(17);
        var rows = Enumerable.Range(0, Rows).Select(i => Row($"device-{i}", 1, 1, State(random, i))).ToList();

        Assert.All(await Store.WriteAsync(rows, default), Assert.True);
        var claimed = await Store.ClaimAsync([.. rows.Select(static row => (row.Identity, 1L))], default);
        await Store.ForgetAsync([.. rows.Select(static row => (row.Identity, 2L))], default);

        Assert.All(
            rows.Zip(claimed),
            static pair => Assert.True(pair.First.State.Span.SequenceEqual(pair.Second.State.Span)));
        Assert.Equal(1, (await ClaimAsync("device-0")).Epoch);

        static byte[] State(Random random, int i)
        {
            var state = new byte[i % 100 == 0 ? CheckpointLimits.StateBytesMax : i % 1_000];
            random.NextBytes(state);
            return state;
        }
    }

    [ContractFact]
    public async Task Identities_are_told_apart_by_every_character()
    {
        string[] identities =
        [
            "a", "A", "a ", " a", "a\n", "\t", "'", "''", "\"", "\\", "\\000", "%", "_", "?", "$1", "{a,b}", "NULL",
            "1", "01", "é", "e\u0301", "\u00df", "ss", "\U0001F600", "\uFFFD", "\u0001", "\u007f", "\uFFFE",
            new string('x', CheckpointLimits.IdentityCharsMax), new string('\u4e2d', CheckpointLimits.IdentityCharsMax),
        ];
        Assert.All(identities, static identity => Assert.True(CheckpointLimits.IsIdentity(identity)));

        var kept = await Store.WriteAsync([.. identities.Select((id, i) => Row(id, 1, i + 1, $"of {id}"))], default);
        var claimed = await Store.ClaimAsync([.. identities.Select(static id => (id, 1L))], default);

        Assert.All(kept, Assert.True);
        Assert.Equal(identities, claimed.Select(static c => c.Identity));
        Assert.Equal(identities.Select(static id => $"of {id}"), claimed.Select(static c => TextOf(c)));
    }

    [ContractFact]
    public async Task What_is_kept_is_a_copy()
    {
        var state = "before"u8.ToArray();
        await Store.WriteAsync([new Checkpoint("a", 1, 1, state)], default);
        "after."u8.CopyTo(state);

        await AssertKeptAsync("a", 2, 1, "before");
    }

    [ContractFact]
    public async Task An_operation_that_nobody_waits_for_any_more_fails_and_the_next_one_does_not()
    {
        using var over = new CancellationTokenSource();
        await over.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Store.ClaimAsync([("a", 1)], over.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Store.WriteAsync([Row("a", 1, 1, "a")], over.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Store.ForgetAsync([("a", 1)], over.Token));
        Assert.Equal(1, (await ClaimAsync("b")).Epoch);
    }

    [ContractFact]
    public async Task Two_writers_that_claim_the_same_identities_get_epochs_that_are_all_distinct()
    {
        const int Rounds = 50;
        var identities = Enumerable.Range(0, 40).Select(static i => $"device-{i}").ToArray();
        var stores = new[] { Store, Another(), Another() };

        // In orders of their own, so that rows locked as they come would be waited for in a circle.
        var claimed = await Task.WhenAll(stores.Select((store, at) => Task.Run(async () =>
        {
            var random = new Random(at);
            var all = new List<(string, long)>();
            for (var round = 0; round < Rounds; round++)
            {
                var order = identities.ToArray();
                random.Shuffle(order);
                var batch = await store.ClaimAsync([.. order.Select(static id => (id, 1L))], default);
                all.AddRange(batch.Select(static c => (c.Identity, c.Epoch)));
            }

            return all;
        })));

        var expected =
            from identity in identities
            from epoch in Enumerable.Range(1, Rounds * stores.Length)
            select (identity, (long)epoch);
        Assert.Equal(expected.Order(), claimed.SelectMany(static all => all).Order());
    }

    [ContractFact]
    public async Task Of_two_writers_at_once_the_one_who_claimed_last_wins()
    {
        const int Rounds = 30;
        var identities = Enumerable.Range(0, 40).Select(static i => $"device-{i}").ToArray();
        var other = Another();
        for (var round = 0; round < Rounds; round++)
        {
            var first = await Store.ClaimAsync([.. identities.Select(static id => (id, 1L))], default);
            var second = await other.ClaimAsync([.. identities.Select(static id => (id, 1L))], default);

            var writes = await Task.WhenAll(
                Task.Run(async () => await Store.WriteAsync(
                    [.. first.Select(static c => Row(c.Identity, c.Epoch, 1_000, "first"))], default)),
                Task.Run(async () => await other.WriteAsync(
                    [.. second.Reverse().Select(c => Row(c.Identity, c.Epoch, round, "second"))], default)));

            Assert.All(writes[0], Assert.False);
            Assert.All(writes[1], Assert.True);
        }

        await AssertKeptAsync("device-0", (2 * Rounds) + 1, Rounds - 1, "second");
    }

    /// <summary>Against a few lines that say the same, 300 batches of some identities.</summary>
    [ContractFact]
    public async Task Any_order_of_operations_does_what_the_rules_say()
    {
        var random = new Random(17);
        var model = new Dictionary<string, (long Epoch, long Revision, string State)>();
        for (var step = 0; step < 300; step++)
        {
            var names = Enumerable.Range(0, 8).Select(static i => $"{i}").ToArray();
            random.Shuffle(names);
            var batch = names[..random.Next(1, names.Length)];
            switch (random.Next(5))
            {
                case 0:
                    var claims = batch.Select(name => (name, (long)random.Next(8))).ToArray();
                    var claimed = await Store.ClaimAsync(claims, default);
                    Assert.Equal(
                        claims.Select(c => Claim(model, c.name, c.Item2)),
                        claimed.Select(static c => (c.Epoch, c.Revision, TextOf(c))));
                    break;
                case 1:
                    var forgotten = batch.Select(name => (name, (long)random.Next(8))).ToArray();
                    await Store.ForgetAsync(forgotten, default);
                    Array.ForEach(forgotten, f => _ = Epoch(model, f.name) == f.Item2 && model.Remove(f.name));
                    break;
                default:
                    var rows = batch.Select(name => Row(
                        name, Math.Max(1, Epoch(model, name) + random.Next(-1, 2)), random.Next(1, 5), $"{step}"));
                    var written = rows.ToArray();
                    Assert.Equal(written.Select(row => Write(model, row)), await Store.WriteAsync(written, default));
                    break;
            }
        }
    }

    /// <summary>Opens the same place once more, as another member does.</summary>
    private protected abstract ICheckpointStore Open();

    private protected ICheckpointStore Another()
    {
        var store = Open();
        _opened.Add(store);
        return store;
    }

    private protected async Task AssertKeptAsync(string identity, long epoch, long revision, string state)
    {
        var claimed = await ClaimAsync(identity);
        Assert.Equal((epoch, revision, state), (claimed.Epoch, claimed.Revision, TextOf(claimed)));
    }

    private protected async Task<Checkpoint> ClaimAsync(string identity, long lowest = 1) =>
        Assert.Single(await Store.ClaimAsync([(identity, lowest)], default));

    private protected async Task<bool> WriteAsync(string identity, long epoch, long revision, string state) =>
        Assert.Single(await Store.WriteAsync([Row(identity, epoch, revision, state)], default));

    private protected static Checkpoint Row(string identity, long epoch, long revision, string state) =>
        Row(identity, epoch, revision, Encoding.UTF8.GetBytes(state));

    private static Checkpoint Row(string identity, long epoch, long revision, byte[] state) =>
        new(identity, epoch, revision, state);

    private static string TextOf(Checkpoint checkpoint) => Encoding.UTF8.GetString(checkpoint.State.Span);

    private static long Epoch(Dictionary<string, (long Epoch, long Revision, string State)> model, string name) =>
        model.GetValueOrDefault(name).Epoch;

    private static (long Epoch, long Revision, string State) Claim(
        Dictionary<string, (long Epoch, long Revision, string State)> model, string name, long lowest)
    {
        var (_, revision, state) = model.GetValueOrDefault(name, (0, 0, ""));
        return model[name] = (Math.Max(Math.Max(1, lowest), Epoch(model, name) + 1), revision, state);
    }

    private static bool Write(
        Dictionary<string, (long Epoch, long Revision, string State)> model, Checkpoint row)
    {
        if (!model.TryGetValue(row.Identity, out var kept)
            || row.Epoch > kept.Epoch || (row.Epoch == kept.Epoch && row.Revision > kept.Revision))
        {
            model[row.Identity] = (row.Epoch, row.Revision, TextOf(row));
            return true;
        }

        return row.Epoch == kept.Epoch;
    }
}

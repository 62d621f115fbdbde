using Microsoft.Data.Sqlite;
using Router.Cluster.Checkpoints;

namespace Router.Tests.Cluster.Checkpoints;

public sealed class SqliteCheckpointsTests : CheckpointContract
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("router-test-");

    private string File => Path.Combine(_folder.FullName, "checkpoints.db");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_is_kept_survives_a_restart()
    {
        await WriteAsync("a", 3, 9, "state");
        await base.DisposeAsync();

        await using var store = Open();

        var claimed = Assert.Single(await store.ClaimAsync([("a", 1)], default));
        Assert.Equal((4, 9, 5), (claimed.Epoch, claimed.Revision, claimed.State.Length));
    }

    [Fact]
    public async Task A_missing_folder_fails_until_it_is_there()
    {
        var folder = Path.Combine(_folder.FullName, "later");
        await using var store = new SqliteCheckpoints(Path.Combine(folder, "checkpoints.db"));
        await Assert.ThrowsAsync<SqliteException>(async () => await store.ClaimAsync([("a", 1)], default));

        Directory.CreateDirectory(folder);

        Assert.Single(await store.ClaimAsync([("a", 1)], default));
    }

    [Fact]
    public async Task A_file_that_another_holds_fails_within_seconds_and_works_again()
    {
        await ClaimAsync("a");
        await using var other = new SqliteConnection($"Data Source={File};Pooling=false");
        await other.OpenAsync();
        await using (var transaction = await other.BeginTransactionAsync())
        {
            await Assert.ThrowsAsync<SqliteException>(() => ClaimAsync("a").WaitAsync(TimeSpan.FromSeconds(10)));
        }

        Assert.Equal(2, (await ClaimAsync("a")).Epoch);
    }

    [Fact]
    public async Task A_file_that_is_no_database_fails()
    {
        var path = Path.Combine(_folder.FullName, "text");
        await System.IO.File.WriteAllTextAsync(path, new string('x', 4_096));
        await using var store = new SqliteCheckpoints(path);

        await Assert.ThrowsAsync<SqliteException>(async () => await store.ClaimAsync([("a", 1)], default));
    }

    private protected override ICheckpointStore Open() => new SqliteCheckpoints(File);
}

using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Router.Tests.Functional;
using Xunit.Sdk;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>Tests that share one server of PostgreSQL, one after the other: some kill it, and measure.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PostgresTests : ICollectionFixture<PostgresServer>
{
    public const string Name = "postgres";
}

/// <summary>A real server in a folder of its own, reached by a unix socket in it: no port, so that nothing else can be
/// in its way. Made when first asked for; ends with the tests, also where these are killed.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    /// <summary>Runs the server, which is not the shell's own process, until the tests close the shell's input.
    /// </summary>
    private const string Guard = "\"$@\" < /dev/null & server=$!; cat > /dev/null; kill -KILL $server";

    /// <summary>Accounts that a machine with PostgreSQL, or any other, has: the server refuses to run as root.
    /// </summary>
    private static readonly string[] Accounts = ["postgres", "nobody"];

    private readonly SemaphoreSlim _turn = new(1);
    private string? _folder;
    private Process? _guard;
    private int _tables;

    private static bool IsRoot => Environment.UserName == "root";

    private string Folder => _folder ?? throw new XunitException("the server has not been made");

    private string Data => Path.Combine(Folder, "data");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_folder is not null)
        {
            await KillAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Runs when this returns.</summary>
    public async Task StartAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_folder is null)
            {
                await MakeAsync();
            }

            if (_guard is null)
            {
                await RunAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The server and all its processes are gone when this returns, as if the power had failed.</summary>
    public async Task KillAsync()
    {
        if (_guard is { } guard)
        {
            var killed = Signal(TestLibc.SigKill);
            await Until.TrueAsync(() => !killed.Any(IsRunning), static () => "the end of the server's processes");
            File.Delete(PidFile());   // it would say "ready" of the next one
            guard.StandardInput.Close();
            await guard.WaitForExitAsync();
            guard.Dispose();
            _guard = null;
        }
    }

    /// <summary>Holds the server and all its processes: connections stay, and nothing answers.</summary>
    public void Stop() => _ = Signal(TestLibc.SigStop);

    public void Continue() => _ = Signal(TestLibc.SigCont);

    /// <summary>A connection string.</summary>
    public string Connection(string user = "router") =>
        $"Host={Folder};Username={user};Database=postgres;Include Error Detail=true";

    /// <summary>A name that no other test has.</summary>
    public string NextTable() => $"checkpoints_{Interlocked.Increment(ref _tables)}";

    /// <summary>Runs statements as the server's owner.</summary>
    public async Task<object?> QueryAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Connection("owner") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task MakeAsync()
    {
        _folder = Directory.CreateTempSubdirectory("router-postgres-").FullName;
        if (IsRoot)
        {
            await ToolAsync("chown", Account(), _folder);
        }

        await ToolAsync(
            [.. Unprivileged("initdb"), "-D", Data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C",
                "--no-sync", "--no-instructions"]);
        await RunAsync();
        await QueryAsync("create role router login; grant create, usage on schema public to router");
    }

    private async Task RunAsync()
    {
        File.Delete(PidFile());   // one that was killed has left its own, which says ready
        // Without fsync: what is killed here are processes, never the machine.
        _guard = Launch(
            ["sh", "-c", Guard, "sh", .. Unprivileged("postgres"), "-D", Data, "-k", Folder, "-h", "", "-F"]);
        var output = new LineCapture(_guard.StandardOutput);
        var error = new LineCapture(_guard.StandardError);
        await Until.TrueAsync(() => IsReady() || _guard.HasExited, () => $"{output}{error}");
    }

    /// <summary>The server writes so into the file of its process when it takes connections.</summary>
    private bool IsReady() =>
        File.Exists(PidFile()) && File.ReadLines(PidFile()).ElementAtOrDefault(7)?.Trim() == "ready";

    private string PidFile() => Path.Combine(Data, "postmaster.pid");

    /// <summary>Its own process first, which would start others anew. Its children are asked for before: a process that
    /// was killed has none.</summary>
    /// <returns>The processes.</returns>
    private List<int> Signal(int signal)
    {
        if (!File.Exists(PidFile()))
        {
            return [];
        }

        var server = int.Parse(File.ReadLines(PidFile()).First(), CultureInfo.InvariantCulture);
        List<int> all = [server, .. ChildrenOf(server)];
        _ = TestLibc.Kill(server, signal);
        all.AddRange(ChildrenOf(server).Except(all));
        foreach (var child in all.Skip(1))
        {
            _ = TestLibc.Kill(child, signal);
        }

        return all;
    }

    /// <summary>One that has ended and that nobody has asked for is not.</summary>
    private static bool IsRunning(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static IReadOnlyList<int> ChildrenOf(int process)
    {
        try
        {
            return [.. File.ReadAllText($"/proc/{process}/task/{process}/children")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static id => int.Parse(id, CultureInfo.InvariantCulture))];
        }
        catch (IOException)
        {
            return [];   // it has ended
        }
    }

    private static IEnumerable<string> Unprivileged(string tool)
    {
        var path = RequiredTools.PathOf(tool) ?? tool;
        return IsRoot
            ? ["setpriv", "--reuid", Account(), "--regid", Account() == "nobody" ? "nogroup" : Account(),
                "--clear-groups", "--", path]
            : [path];
    }

    private static string Account()
    {
        var known = File.ReadLines("/etc/passwd").Select(static line => line.Split(':')[0]).ToHashSet();
        return Accounts.First(known.Contains);
    }

    private static async Task ToolAsync(params string[] command)
    {
        using var process = Launch(command);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{command[0]} ended with {process.ExitCode}:\n{await output}{await error}");
    }

    private static Process Launch(string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        WorkingDirectory = "/",
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}

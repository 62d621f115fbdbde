using System.Diagnostics;
using Xunit.Sdk;

namespace Router.Tests.Functional;

/// <summary>A program running in a namespace, its output captured. Disposing kills it with all its children.</summary>
internal class RunningProcess : IAsyncDisposable
{
    /// <summary>Generous: two cores that others keep busy as well.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    protected RunningProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        Output = new LineCapture(process.StandardOutput);
        Error = new LineCapture(process.StandardError);
    }

    public int Id { get; }

    public LineCapture Output { get; }

    public LineCapture Error { get; }

    public StreamWriter Input => _process.StandardInput;

    public bool HasExited => _process.HasExited;

    public ProcFiles Proc => new(Id);

    /// <summary>Starts a program of the PATH.</summary>
    public static async Task<RunningProcess> StartAsync(
        NetworkNamespace network, string folder, string program, params string[] arguments) =>
        new(await LaunchAsync(network, folder, [program, .. arguments]));

    public void Signal(int signal)
    {
        if (!_process.HasExited)
        {
            _ = TestLibc.Kill(Id, signal);
        }
    }

    /// <summary>Its exit code, once it ended and its output is complete.</summary>
    /// <exception cref="XunitException">It still runs after <paramref name="within"/>; shows its output.</exception>
    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        var limit = within ?? Patience;
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
            await Task.WhenAll(Output.Ended, Error.Ended).WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new XunitException($"Process {Id} still runs after {limit.TotalSeconds} s:\n{Output}\n{Error}", e);
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        using var timeout = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(timeout.Token);
        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts a command that dies with the namespace, and whose signals do what they do by default, also where
    /// the shell that runs the tests ignores them. env(1) and setpriv(1) exec it: the id is its own.</summary>
    /// <param name="privileges">Options of setpriv(1).</param>
    protected static Task<Process> LaunchAsync(
        NetworkNamespace network, string folder, IEnumerable<string> command, IEnumerable<string>? privileges = null)
    {
        var all = command.ToList();
        all[0] = RequiredTools.PathOf(all[0]) ?? all[0];
        string[] wrapped = ["--default-signal", "setpriv", .. privileges ?? [], "--pdeathsig", "KILL", "--", .. all];
        var start = new ProcessStartInfo("env", wrapped)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return network.RunAsync(() => Process.Start(start)!);
    }
}

using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Reporting;
using Router.Running;

namespace Router.Hosting;

/// <summary>The signals of a process that runs a router, from when this is made. What comes before the router runs is
/// remembered.</summary>
/// <remarks>The process's own signals are handled on the pool. docs/errors.md lists what each signal does.</remarks>
internal sealed class ProcessSignals : IDisposable
{
    /// <summary>Of Linux, on all processors that .NET runs on.</summary>
    private const PosixSignal SigUsr1 = (PosixSignal)10, SigUsr2 = (PosixSignal)12, SigXfsz = (PosixSignal)25;

    private readonly TaskCompletionSource<string> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IDisposable> _registrations = [];
    private readonly Lock _lock = new();
    private readonly HashSet<PosixSignal> _early = [];
    private RouterEngine? _engine;
    private ProcessLog? _lines;
    private ILogger? _log;
    private ServiceManager? _manager;
    private int _stops;

    public ProcessSignals()
    {
        Take(PosixSignal.SIGINT);
        Take(PosixSignal.SIGTERM);
        Take(PosixSignal.SIGHUP);
        if (OperatingSystem.IsLinux())
        {
            Take(SigUsr1);
            Take(SigUsr2);
            Take(SigXfsz);
        }
    }

    /// <summary>Completes with the name of the first SIGINT or SIGTERM. The second is left to the system, which ends
    /// the process.</summary>
    public Task<string> Stop => _stop.Task;

    /// <summary>Whether one has come that nothing was done for yet.</summary>
    public bool IsAsked
    {
        get
        {
            lock (_lock)
            {
                return Stop.IsCompleted || (_engine is null && _early.Count > 0);
            }
        }
    }

    /// <summary>The router runs: does what signals have asked for that came before.</summary>
    /// <param name="engine">The router.</param>
    /// <param name="log">The router's.</param>
    /// <param name="lines">Whose files are opened again.</param>
    /// <param name="manager">Is told of reloads; null for none.</param>
    public void Attach(RouterEngine engine, ILogger log, ProcessLog lines, ServiceManager? manager)
    {
        lock (_lock)
        {
            (_engine, _log, _lines, _manager) = (engine, log, lines, manager);
        }

        foreach (var signal in _early)
        {
            Act(signal, engine, log, lines);
        }
    }

    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private void Act(PosixSignal signal, RouterEngine engine, ILogger log, ProcessLog lines)
    {
        switch (signal)
        {
            case PosixSignal.SIGHUP:
                var reload = () => engine.ReloadAsync("SIGHUP");
                _ = _manager?.ReloadAsync(reload) ?? reload();
                break;
            case SigUsr1:
                var closed = engine.ReopenFiles();
                HostLog.Signal(
                    log, "SIGUSR1",
                    $"{closed} files of collect routes are closed; the next window opens its file again; "
                    + $"{lines.ReopenFiles()} log files are opened again");
                break;
            case SigUsr2:
                HostLog.Signal(log, "SIGUSR2", "nothing");
                break;
            default:
                break;   // SIGXFSZ: the write that has met the limit fails with EFBIG
        }
    }

    private void Take(PosixSignal signal) => _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal is PosixSignal.SIGINT or PosixSignal.SIGTERM)
        {
            context.Cancel = Interlocked.Increment(ref _stops) == 1;
            _stop.TrySetResult(context.Signal.ToString());
            return;
        }

        lock (_lock)
        {
            if (_engine is null)
            {
                _early.Add(context.Signal);
                return;
            }
        }

        Act(context.Signal, _engine, _log!, _lines!);
    }
}

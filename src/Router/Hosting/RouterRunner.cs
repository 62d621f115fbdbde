using System.Runtime.InteropServices;
using Router.Configuration;
using Router.Heap;
using Router.Net;
using Router.Reporting;
using Router.Running;

namespace Router.Hosting;

/// <summary>Runs a router as a process: configuration, start, signals, stop.</summary>
internal static class RouterRunner
{
    public const int ExitOk = 0;
    public const int ExitRefused = 1;
    public const int ExitNotBound = 2;
    public const int ExitUsage = 64;

    /// <summary>An actor that the router cannot do without was stopped: sysexits.h's EX_SOFTWARE.</summary>
    public const int ExitFailed = 70;

    /// <summary>Runs until a signal: the first SIGTERM or SIGINT drains, a second ends the process at once. SIGHUP has
    /// the configuration read again, at any time: before the start is done it is remembered.</summary>
    /// <param name="configFile">A HOCON file; null for the built-in default.</param>
    /// <param name="settings"><c>key=value</c>, on top of the file.</param>
    /// <param name="errors">Where faults go, a line each.</param>
    /// <param name="stop">Cancelled: as the first signal.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(
        string? configFile, IReadOnlyList<string> settings, TextWriter errors, CancellationToken stop)
    {
        using var hangups = new ReloadSignal();
        var loaded = SetupLoader.Load(configFile, settings, ProgramParts.None, TimeProvider.System);
        if (loaded.Setup is not { } setup)
        {
            WriteAll(errors, loaded.Faults);
            return ExitRefused;
        }

        var level = new LogThreshold(setup.Options.Log.Level);
        using var loggers = RouterLogging.Create(setup.Options.Log, level, TimeProvider.System);
        using var signals = new StopSignals(stop);
        var log = loggers.CreateLogger(RouterLogging.Category);
        loaded.LogWarnings(log);
        using var mode = new CollectorMode();
        setup = setup with { OnPrepared = CollectorMode.Compact };
        if (ActorSystemHandle.TryMake(setup.Options, TimeProvider.System, out var refusal) is not { } system)
        {
            WriteAll(errors, [refusal!]);
            return ExitRefused;
        }

        var engine = setup.Start(TimeProvider.System, RandomSource.System, log, system, out var faults);
        if (engine is null)
        {
            _ = system.System.Terminate();
            WriteAll(errors, faults);
            return ExitNotBound;
        }

        var holdFrom = mode.CanHold ? setup.Options.Heap.HoldCollectionsFrom : 0;
        using var held = HeldCollections.Start(
            () => engine.Stats.Sessions, () => engine.Spare, HeapFigures.Read, mode.Hold, holdFrom, TimeProvider.System,
            log);
        await using (engine.ConfigureAwait(false))
        {
            engine.OnReloaded = options => level.Set(options.Log.Level);
            hangups.Attach(engine);
            if (await Task.WhenAny(signals.First, engine.Ended).ConfigureAwait(false) == engine.Ended)
            {
                return ExitFailed;
            }

            await engine.StopAsync(await signals.First.ConfigureAwait(false), CancellationToken.None)
                .ConfigureAwait(false);
        }

        return ExitOk;
    }

    /// <summary>Reads and validates, starts nothing.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Check(string? configFile, IReadOnlyList<string> settings, TextWriter output, TextWriter errors)
    {
        var loaded = SetupLoader.Load(configFile, settings, ProgramParts.None, TimeProvider.System);
        if (loaded.Setup is null)
        {
            WriteAll(errors, loaded.Faults);
            return ExitRefused;
        }

        WriteAll(output, [.. loaded.Warnings.Select(static warning => $"{warning} (warning)")]);
        output.WriteLine($"{configFile ?? "built-in configuration"}: ok");
        return ExitOk;
    }

    private static void WriteAll(TextWriter writer, IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            writer.WriteLine(line);
        }
    }

    /// <summary>Has SIGHUP read the configuration again, and never end the process.</summary>
    private sealed class ReloadSignal : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly PosixSignalRegistration _registration;
        private RouterEngine? _engine;
        private bool _early;

        public ReloadSignal() => _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);

        /// <summary>The router runs: what came before is made up for, once.</summary>
        public void Attach(RouterEngine engine)
        {
            lock (_lock)
            {
                _engine = engine;
                if (!_early)
                {
                    return;
                }
            }

            _ = engine.ReloadAsync("SIGHUP");
        }

        public void Dispose() => _registration.Dispose();

        private void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            RouterEngine? engine;
            lock (_lock)
            {
                engine = _engine;
                _early |= engine is null;
            }

            _ = engine?.ReloadAsync("SIGHUP");
        }
    }

    /// <summary>The first signal completes a task; the second is left to the system, which ends the process.</summary>
    private sealed class StopSignals : IDisposable
    {
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<IDisposable> _registrations = [];
        private int _signals;

        public StopSignals(CancellationToken stop)
        {
            _registrations.Add(stop.Register(() => _first.TrySetResult("cancellation")));
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        }

        public Task<string> First => _first.Task;

        public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

        private void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = Interlocked.Increment(ref _signals) == 1;
            _first.TrySetResult(signal.Signal.ToString());
        }
    }
}

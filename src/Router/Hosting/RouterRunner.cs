using Router.Admin;
using Router.Configuration;
using Router.Diagnostics;
using Router.Heap;
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

    /// <summary>It is no member of its cluster any more: sysexits.h's EX_TEMPFAIL, for a start anew helps.</summary>
    public const int ExitDowned = 75;

    /// <summary>Runs until a signal: see <see cref="ProcessSignals"/>.</summary>
    /// <param name="configFile">A HOCON file; null for the built-in default.</param>
    /// <param name="settings"><c>key=value</c>, on top of the file.</param>
    /// <param name="errors">Where faults go, a line each.</param>
    /// <param name="signals">Of the process.</param>
    /// <param name="onRead">Called before anything is started, with what the configuration says.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(
        string? configFile, IReadOnlyList<string> settings, TextWriter errors, ProcessSignals signals,
        Action<RouterOptions>? onRead = null)
    {
        var loaded = SetupLoader.Load(configFile, settings, ProgramParts.None, TimeProvider.System);
        if (loaded.Setup is { } read)
        {
            onRead?.Invoke(read.Options);
            return await RunLoadedAsync(read, loaded, errors, signals).ConfigureAwait(false);
        }

        WriteAll(errors, loaded.Lines);
        return ExitRefused;
    }

    private static async Task<int> RunLoadedAsync(
        RouterSetup setup, LoadedSetup loaded, TextWriter errors, ProcessSignals signals)
    {
        var level = new LogThreshold(setup.Options.Log.Level);
        var feed = setup.Options.Admin.Bind is null ? null : new EventFeed(setup.Options.Admin.Streams);
        using var loggers = RouterLogging.TryCreate(
            setup.Options.Log, level, TimeProvider.System, errors, feed, out var sinkFault);
        if (loggers is null)
        {
            WriteAll(errors, [sinkFault!]);
            return ExitNotBound;
        }

        var log = loggers.CreateLogger(RouterLogging.Category);
        loaded.LogWarnings(log);
        using var mode = new CollectorMode();
        setup = setup with { OnPrepared = CollectorMode.Compact, LogSinks = () => loggers.Figures };
        if (ActorSystemHandle.TryMake(setup.Options, TimeProvider.System, out var refusal) is not { } system)
        {
            WriteAll(errors, [refusal!.Text]);
            return refusal.IsNotBound ? ExitNotBound : ExitRefused;
        }

        IReadOnlyList<string> faults = PoolThreads.Fix(setup.Options.PoolThreadCount) is { } lack ? [lack] : [];
        var (engine, admin) = signals.Stop.IsCompleted || faults.Count > 0
            ? default
            : AdminStart.Start(setup, TimeProvider.System, log, system, out faults);
        if (engine is null)
        {
            _ = system.System.Terminate();
            WriteAll(errors, faults);
            return faults.Count == 0 ? ExitOk : ExitNotBound;   // told to stop before anything was bound
        }

        var holdFrom = mode.CanHold ? setup.Options.Heap.HoldCollectionsFrom : 0;
        using var held = HeldCollections.Start(
            () => engine.Stats.Sessions, () => engine.Spare, HeapFigures.Read, mode.Hold, holdFrom, TimeProvider.System,
            log);
        await using (engine.ConfigureAwait(false))
        {
            engine.OnReloaded = options => level.Set(options.Log.Level);
            admin?.Start(new AdminHost(engine, log, feed!, TimeProvider.System, level, () => _ = StopAsync(engine)));
            using var manager = ServiceManager.Find(TimeProvider.System);
            manager?.Ready(engine, log);
            signals.Attach(engine, log, loggers, manager);
            if (await Task.WhenAny(signals.Stop, engine.Ended).ConfigureAwait(false) == engine.Ended)
            {
                await AdminStart.EndAsync(admin).ConfigureAwait(false);
                return await engine.Ended.ConfigureAwait(false) switch
                {
                    RouterEnd.Downed => ExitDowned,
                    RouterEnd.ActorStopped => ExitFailed,
                    _ => ExitOk,   // told to leave by another member
                };
            }

            await engine.StopAsync(await signals.Stop.ConfigureAwait(false), CancellationToken.None)
                .ConfigureAwait(false);
            await AdminStart.EndAsync(admin).ConfigureAwait(false);
        }

        return ExitOk;
    }

    private static Task StopAsync(RouterEngine engine) => engine.StopAsync("admin", CancellationToken.None);

    /// <summary>Reads and validates, starts nothing.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Check(string? configFile, IReadOnlyList<string> settings, TextWriter output, TextWriter errors)
    {
        var loaded = SetupLoader.Load(configFile, settings, ProgramParts.None, TimeProvider.System);
        if (loaded.Setup is null)
        {
            WriteAll(errors, loaded.Lines);
            return ExitRefused;
        }

        WriteAll(output, loaded.Lines);
        output.WriteLine($"{configFile ?? "built-in configuration"}: ok");
        return ExitOk;
    }

    private static void WriteAll(TextWriter writer, IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            writer.WriteLine(LineText.Escape(line));
        }
    }
}

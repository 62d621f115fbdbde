using Router.Configuration;
using Router.Diagnostics;
using Router.Listeners;

namespace Router.Running;

/// <summary>A reload that has been decided, while actors take it over.</summary>
/// <param name="Tree">What the tree has to do.</param>
/// <param name="Differences">What has changed.</param>
/// <param name="Loaded">What was read.</param>
/// <param name="Started">A timestamp of the router's clock.</param>
internal sealed record PendingReload(
    TreeUpdate Tree, ConfigurationChanges Differences, LoadedSetup Loaded, long Started);

/// <summary>Reads the configuration again and, if nothing is wrong with it, brings it into force as a whole.</summary>
/// <remarks>/user/router alone uses it; <see cref="Queue"/>: any thread.</remarks>
internal sealed class Reloader
{
    /// <summary>Tries, 10 ms apart, to bind an address that a drained listener is just releasing.</summary>
    public const int RetriesMax = 200;

    private readonly RunningRouter _running;
    private readonly FileWatch _watch = new();

    public Reloader(RunningRouter running)
    {
        _running = running;
        _watch.Reset(running.Setup.Files);
    }

    public ReloadQueue Queue { get; } = new();

    /// <summary>Called with every configuration that a reload brought into force, before the log says so.</summary>
    public Action<RouterOptions>? OnReloaded { get; set; }

    /// <inheritdoc cref="FileWatch.Look"/>
    public bool HaveFilesChanged() => _watch.Look();

    /// <param name="request">What was asked for.</param>
    /// <param name="tree">/user/router.</param>
    /// <param name="begun">What the caller has to bring into force; null if it has to try again shortly, because an
    /// address is just being released.</param>
    /// <returns>Why the reload is refused, or null.</returns>
    public ReloadResult? Run(ReloadRequest request, IActorRef tree, out PendingReload? begun)
    {
        begun = null;
        var started = _running.Time.GetTimestamp();
        var loaded = _running.Setup.LoadAgain();
        _watch.Reset(loaded.Files);
        if (loaded.Setup is not { } setup)
        {
            loaded.LogWarnings(_running.Log);
            return Refuse(request, loaded.Faults);
        }

        if (_running.FaultsOf(setup) is { Count: > 0 } unmet)
        {
            return Refuse(request, unmet);
        }

        var kept = new Dictionary<RunningBind, ListenerPlan>();
        var missing = _running.Listeners.Match(setup.Plan, kept);
        var isReleasing = missing.Exists(
            wanted => _running.Listeners.Binds.Any(bind => bind.IsReleasing && bind.IsAt(wanted)));
        if (isReleasing && ++request.Retries <= RetriesMax)
        {
            return null;
        }

        var bound = _running.Listeners.Bind(missing, out var faults);
        if (faults.Count > 0)
        {
            return Refuse(request, [.. faults.Select(fault => Describe(setup, fault))]);
        }

        var differences = ConfigurationChanges.Between(_running.Setup.Options, setup.Options);
        var update = _running.Commit(setup, differences.RoutesChanged, kept, bound, tree);
        begun = new PendingReload(update, differences, loaded, started);
        return null;
    }

    /// <summary>Says in the log that it is in force, by the log's new level.</summary>
    public ReloadResult Conclude(ReloadRequest request, PendingReload done)
    {
        OnReloaded?.Invoke(_running.Setup.Options);
        var differences = done.Differences;
        Write(request.Cause, differences, (long)_running.Time.GetElapsedTime(done.Started).TotalMilliseconds);
        done.Loaded.LogWarnings(_running.Log);
        return new ReloadResult(
            [],
            [.. differences.Keys.Select(static key => key.Path)],
            [.. differences.NeedRestart.Select(static key => key.Path)]);
    }

    public ReloadResult Refuse(ReloadRequest request, IReadOnlyList<string> faults)
    {
        for (var i = 0; i < faults.Count; i++)
        {
            HostLog.ReloadRefused(_running.Log, request.Cause, faults[i], i + 1, faults.Count);
        }

        return ReloadResult.Refused(faults);
    }

    /// <summary>As at the start, with the place in the file; and with the listener of ours that has the port.</summary>
    private string Describe(RouterSetup setup, BindFault fault)
    {
        var port = fault.Request.Address.Port;
        var ours = fault.Errno == Net.Errno.EADDRINUSE && port != 0
            ? _running.Listeners.Binds.FirstOrDefault(bind =>
                bind.Request.Transport == fault.Request.Transport && bind.Bound.Address.Port == port)
            : null;
        var holder = ours is null
            ? ""
            : $" (listener {ours.Listener} of this router has {ours.Bound.Request}: reload without it first, "
                + "and with the new address once listener-removed is logged)";
        return $"{setup.PlaceOf(fault.Request)}: {RouterSetup.Describe(fault)}{holder}";
    }

    private void Write(string cause, ConfigurationChanges changes, long durationMs)
    {
        HostLog.Reloaded(
            _running.Log,
            cause,
            _running.Revision,
            durationMs,
            Listed(changes.ListenersAdded),
            Listed(changes.ListenersRemoved),
            Listed(changes.ListenersChanged),
            Listed(changes.RoutesAdded),
            Listed(changes.RoutesRemoved),
            Listed(changes.RoutesChanged),
            Listed(changes.UpstreamsAdded),
            Listed(changes.UpstreamsRemoved),
            Listed(changes.Keys.Select(static key => key.Path)));
        foreach (var key in changes.NeedRestart)
        {
            HostLog.ReloadNeedsRestart(_running.Log, key.Path, key.Origin.ToString());
        }
    }

    private static string Listed(IEnumerable<string> names) => string.Join(' ', names);
}

using Router.Configuration;
using Router.Diagnostics;
using Router.Listeners;

namespace Router.Running;

/// <summary>A reload that has been decided, while what runs takes it over.</summary>
/// <param name="Tree">What the tree has to do.</param>
/// <param name="Differences">What has changed.</param>
/// <param name="Loaded">What was read.</param>
/// <param name="Started">When; a timestamp of the router's clock.</param>
internal sealed record PendingReload(
    TreeUpdate Tree, ConfigurationChanges Differences, LoadedSetup Loaded, long Started);

/// <summary>Reads the configuration again and, if nothing is wrong with it, brings it into force as a whole.</summary>
internal sealed class Reloader(RunningRouter running)
{
    /// <summary>Tries, 10 ms apart, to get an address that is just being given up.</summary>
    public const int RetriesMax = 200;

    /// <param name="request">Who wants it and why.</param>
    /// <param name="begun">What has to be concluded once it is in force; null where nothing changes.</param>
    /// <returns>Why it is refused; null if it has begun, or has to be tried again shortly: an address is just being
    /// given up.</returns>
    public ReloadResult? Run(ReloadRequest request, out PendingReload? begun)
    {
        begun = null;
        var started = running.Time.GetTimestamp();
        var loaded = running.Setup.LoadAgain();
        running.Watch.Reset(loaded.Files);
        if (loaded.Setup is not { } setup)
        {
            return Refuse(request, loaded.Faults);
        }

        if (running.FaultsOf(setup) is { Count: > 0 } unmet)
        {
            return Refuse(request, unmet);
        }

        var kept = new Dictionary<RunningBind, ListenerPlan>();
        var missing = Match(setup.Plan, kept);
        var isHeld = missing.Exists(wanted => running.Binds.Any(bind => bind.IsLetGo && bind.IsAt(wanted)));
        if (isHeld && ++request.Retries <= RetriesMax)
        {
            return null;
        }

        var bound = running.Bind(missing, out var faults);
        if (faults.Count > 0)
        {
            return Refuse(request, [.. faults.Select(fault => Describe(setup, fault))]);
        }

        var differences = ConfigurationChanges.Between(running.Setup.Options, setup.Options);
        var tree = running.Commit(setup, differences.RoutesChanged, kept, bound);
        begun = new PendingReload(tree, differences, loaded, started);
        return null;
    }

    /// <summary>It is in force: writes it down, by the log's level as it is now.</summary>
    public ReloadResult Conclude(ReloadRequest request, PendingReload done)
    {
        running.OnReloaded?.Invoke(running.Setup.Options);
        var differences = done.Differences;
        Write(request.Cause, differences, (long)running.Time.GetElapsedTime(done.Started).TotalMilliseconds);
        done.Loaded.LogWarnings(running.Log);
        return new ReloadResult(
            [],
            [.. differences.Keys.Select(static key => key.Path)],
            [.. differences.NeedRestart.Select(static key => key.Path)]);
    }

    /// <summary>Writes every fault down.</summary>
    public ReloadResult Refuse(ReloadRequest request, IReadOnlyList<string> faults)
    {
        for (var i = 0; i < faults.Count; i++)
        {
            HostLog.ReloadRefused(running.Log, request.Cause, faults[i], i + 1, faults.Count);
        }

        return ReloadResult.Refused(faults);
    }

    /// <summary>Finds the running socket of every address that is wanted.</summary>
    /// <returns>Addresses that have none.</returns>
    private List<BindRequest> Match(RouterPlan plan, Dictionary<RunningBind, ListenerPlan> kept)
    {
        var missing = new List<BindRequest>();
        foreach (var listener in plan.Listeners)
        {
            foreach (var request in listener.Binds)
            {
                var found = running.Binds
                    .Where(bind => !kept.ContainsKey(bind) && bind.Serves(request))
                    .MinBy(static bind => bind.State);
                if (found is null)
                {
                    missing.Add(request);
                }
                else
                {
                    kept[found] = listener;
                }
            }
        }

        return missing;
    }

    /// <summary>As at the start, with the place, and with whose the port is if it is ours.</summary>
    private string Describe(RouterSetup setup, BindFault fault)
    {
        var port = fault.Request.Address.Port;
        var ours = fault.Errno == Net.Errno.EADDRINUSE && port != 0
            ? running.Binds.FirstOrDefault(bind =>
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
            running.Log,
            cause,
            running.Revision,
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
            HostLog.ReloadNeedsRestart(running.Log, key.Path, key.Origin.ToString());
        }
    }

    private static string Listed(IEnumerable<string> names) => string.Join(' ', names);
}

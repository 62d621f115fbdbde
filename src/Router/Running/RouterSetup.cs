using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Net;
using Router.Processes;
using Router.Routes;
using Router.Sessions;

namespace Router.Running;

/// <summary>A configuration that may be started.</summary>
internal sealed record RouterSetup(RouterOptions Options, RouterPlan Plan)
{
    /// <summary>Reads the same configuration again, as it is then.</summary>
    public required Func<LoadedSetup> LoadAgain { get; init; }

    /// <summary>The files it was read from, see <see cref="LoadResult.Files"/>.</summary>
    public required IReadOnlyDictionary<string, string?> Files { get; init; }

    /// <summary>Called once when <c>heap.prepared-sessions</c> are all there and no peer has come yet; on a loop, which
    /// waits.</summary>
    public Action? OnPrepared { get; init; }

    /// <summary>Where a listener's address is written.</summary>
    public string PlaceOf(Listeners.BindRequest request) =>
        Options.Listeners
            .Where(listener => listener.Name == request.Listener)
            .SelectMany(static listener => listener.Binds)
            .FirstOrDefault(bind => bind.Address == request.Address)
            ?.Origin.ToString() ?? request.Listener;

    /// <summary>Starts the router in an actor system of its own, which ends with it.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="random">For seeds and ids.</param>
    /// <param name="log">The router's log.</param>
    /// <param name="faults">As below.</param>
    /// <returns>Null exactly if there are faults.</returns>
    public RouterEngine? Start(TimeProvider time, RandomSource random, ILogger log, out IReadOnlyList<string> faults)
    {
        var home = HostSystem.TryMakeOwn(Options, time, out var fault);
        if (home is null)
        {
            faults = [fault!];
            return null;
        }

        var engine = Start(time, random, log, home, out faults);
        if (engine is null)
        {
            _ = home.System.Terminate();
        }

        return engine;
    }

    /// <summary>Chooses the network and starts the router on it.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="random">For seeds and ids.</param>
    /// <param name="log">The router's log.</param>
    /// <param name="home">The actor system.</param>
    /// <param name="faults">One line per listener that could not be bound: listener, address, errno name and text, what
    /// to do.</param>
    /// <returns>Null exactly if there are faults.</returns>
    public RouterEngine? Start(
        TimeProvider time, RandomSource random, ILogger log, HostSystem home, out IReadOnlyList<string> faults)
    {
        if (!NetworkSelection.TrySelect(Options.Network, out var network, out var reason))
        {
            faults = [reason];
            return null;
        }

        faults = FaultsOn(network, reason);
        if (faults.Count > 0)
        {
            return null;
        }

        var seams = new RouterSeams(network, reason, time, random);
        var engine = RouterEngine.Start(this, seams, log, home, out var bindFaults);
        faults = [.. bindFaults.Select(Describe)];
        return engine;
    }

    /// <summary>What this configuration needs that a network has not: at the start, and again by a reload.</summary>
    /// <param name="network">What the router runs on.</param>
    /// <param name="reason">Why it was chosen.</param>
    public IReadOnlyList<string> FaultsOn(INetwork network, string reason)
    {
        var faults = new List<string>();
        foreach (var listener in Plan.Listeners.Where(static listener => listener.Route is ExecRoute))
        {
            if (NetworkProcesses.Of(network).Fault is { } fault)
            {
                faults.Add($"listener {listener.Name}: route {listener.Route.Name}: {fault}");
            }
        }

        IEnumerable<string> needs =
            [.. network.SupportsUnix ? [] : WhatIsUnix(), .. network.SupportsPeerSockets ? [] : WhatNeedsPeerSockets()];
        faults.AddRange(needs.Select(need => $"{need} needs Linux sockets, but these are {network.Name}: {reason}"));
        return faults;
    }

    /// <summary>Listener, address, errno name and text, what to do.</summary>
    public static string Describe(Listeners.BindFault fault) =>
        $"listener {fault.Request.Listener}: {fault.Request}: " +
        ErrnoText.Describe(
            fault.Errno, fault.Request.Address.IsUnix ? SocketOperation.BindUnix : SocketOperation.Bind);

    private IEnumerable<string> WhatIsUnix() =>
        Options.Listeners
            .SelectMany(static listener => listener.Binds
                .Where(static bind => bind.IsUnix)
                .Select(bind => $"listener {listener.Name}: {bind}"))
            .Concat(Options.Routes.OfType<ProxyRouteOptions>().SelectMany(static route => route.Upstreams
                .Where(static upstream => upstream.Unix is not null)
                .Select(upstream => $"route {route.Name}: upstream {upstream}")));

    private IEnumerable<string> WhatNeedsPeerSockets()
    {
        var listeners = Options.Listeners
            .Where(static listener => listener.Sessions.Socket != SessionSocket.Shared)
            .Select(static listener => $"listener {listener.Name}: session-socket other than shared");
        var routes = Options.Routes.OfType<ProxyRouteOptions>()
            .Where(static route => route.UpstreamReplies == UpstreamReplies.Follow)
            .Select(static route => $"route {route.Name}: upstream-replies = follow");
        return listeners.Concat(routes);
    }
}

/// <summary>What became of a configuration: a setup, or faults, a line each.</summary>
internal sealed record LoadedSetup(RouterSetup? Setup, IReadOnlyList<string> Faults, IReadOnlyList<string> Warnings)
{
    /// <summary>Also of a refused one: what a change would have to change.</summary>
    public IReadOnlyDictionary<string, string?> Files { get; init; } = new Dictionary<string, string?>();

    /// <summary>Says once in the log what <c>router check</c> would have said.</summary>
    public void LogWarnings(ILogger log)
    {
        foreach (var warning in Warnings)
        {
            HostLog.ConfigurationWarning(log, warning);
        }
    }
}

/// <summary>Reads a configuration, all the way to what may be started.</summary>
internal static class SetupLoader
{
    /// <param name="file">A HOCON file; null for the built-in default.</param>
    /// <param name="settings"><c>key=value</c>, on top of it.</param>
    /// <param name="parts">What routes may name.</param>
    /// <param name="time">The clock of what is made here.</param>
    public static LoadedSetup Load(
        string? file,
        IReadOnlyList<string> settings,
        ProgramParts parts,
        TimeProvider time) =>
        Load(
            () => RouterConfiguration.Load(RouteTypes.All, file, settings, Environment.GetEnvironmentVariable),
            file ?? "built-in",
            parts,
            time);

    /// <summary>The same for what is read in any other way, once now and once more by every reload.</summary>
    internal static LoadedSetup Load(
        Func<LoadResult> read,
        string source,
        ProgramParts parts,
        TimeProvider time)
    {
        var result = read();
        var warnings = result.Warnings.Select(static warning => warning.ToString()).ToList();
        if (result.Options is not { } options)
        {
            var refusals = result.Faults.Select(static fault => fault.ToString());
            return new LoadedSetup(null, [.. refusals], warnings) { Files = result.Files };
        }

        var plan = new RouterPlanner(options, parts, time).Make(source, out var faults);
        if (AkkaSection.FaultsOf(options.Akka) is { Count: > 0 } refused)
        {
            return new LoadedSetup(null, [.. faults, .. refused.Select(static fault => fault.ToString())], warnings)
            {
                Files = result.Files,
            };
        }

        var setup = plan is null
            ? null
            : new RouterSetup(options, plan)
            {
                LoadAgain = () => Load(read, source, parts, time),
                Files = result.Files,
            };
        return new LoadedSetup(setup, faults, warnings) { Files = result.Files };
    }
}

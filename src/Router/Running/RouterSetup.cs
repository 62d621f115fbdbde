using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Processes;
using Router.Routes;
using Router.Sessions;

namespace Router.Running;

/// <summary>A configuration that may be started.</summary>
/// <param name="Options">What it says.</param>
/// <param name="Plan">What was made of it.</param>
/// <param name="Source">Where it was read from, for the log.</param>
/// <param name="Files">See <see cref="LoadResult.Files"/>.</param>
/// <param name="LoadAgain">Reads the same configuration again, as it is then.</param>
internal sealed record RouterSetup(
    RouterOptions Options,
    RouterPlan Plan,
    string Source,
    IReadOnlyDictionary<string, string?> Files,
    Func<LoadedSetup> LoadAgain)
{
    /// <summary>Called once when <c>heap.prepared-sessions</c> are all there and no peer has come yet; on a loop, which
    /// waits for it.</summary>
    public Action? OnPrepared { get; init; }

    /// <summary>The sinks of the router's own log; null where a program has one.</summary>
    public Func<IReadOnlyList<SinkFigures>>? LogSinks { get; init; }

    /// <summary>All layers of the configuration, resolved; secrets are in it.</summary>
    public required HoconObject Root { get; init; }

    /// <summary>Where a listener's address is written.</summary>
    public string PlaceOf(BindRequest request) =>
        Options.Listeners
            .Where(listener => listener.Name == request.Listener)
            .SelectMany(static listener => listener.Binds)
            .FirstOrDefault(bind => bind.Address == request.Address)
            ?.Origin.ToString() ?? request.Listener;

    /// <summary>Chooses the network and starts the router on it.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="random">The randomness.</param>
    /// <param name="log">The router's.</param>
    /// <param name="system">Where its actors run.</param>
    /// <param name="faults">Empty exactly if an engine is returned.</param>
    /// <param name="besides">What else could not be bound for it: then nothing starts, and the faults of its listeners
    /// are found too.</param>
    /// <returns>Null exactly if there are faults, a line each: what a listener needs and has not, or why it could not
    /// be bound.</returns>
    public RouterEngine? Start(
        TimeProvider time,
        RandomSource random,
        ILogger log,
        ActorSystemHandle system,
        out IReadOnlyList<string> faults,
        params IReadOnlyList<string> besides)
    {
        if (!NetworkSelection.TrySelect(Options.Network, out var network, out var reason))
        {
            faults = [reason, .. besides];
            return null;
        }

        var unmet = FaultsOn(network, reason);
        if (unmet.Count + besides.Count > 0)
        {
            faults = [.. besides, .. unmet, .. unmet.Count > 0 ? [] : BindFaultsOn(network)];
            return null;
        }

        var seams = new RouterSeams(network, reason, time, random);
        var engine = RouterEngine.Start(this, seams, log, system, out var bindFaults);
        faults = [.. bindFaults.Select(Describe)];
        return engine;
    }

    /// <summary>What this configuration needs that the network has not, by whose choice <paramref name="reason"/>
    /// says.</summary>
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
            [.. network.SupportsUnix ? [] : UnixSocketUses(), .. network.SupportsPeerSockets ? [] : PeerSocketUses()];
        faults.AddRange(needs.Select(need => $"{need} needs Linux sockets, but these are {network.Name}: {reason}"));
        return faults;
    }

    public static string Describe(BindFault fault) =>
        $"listener {fault.Request.Listener}: {fault.Request}: " +
        ErrnoText.Describe(
            fault.Errno, fault.Request.Address.IsUnix ? SocketOperation.BindUnix : SocketOperation.Bind);

    /// <summary>Binds all listeners and lets them go again.</summary>
    private IEnumerable<string> BindFaultsOn(INetwork network)
    {
        var requests = Plan.Listeners.SelectMany(static listener => listener.Binds);
        var bound = ListenerBinder.BindAll(network, Options.LoopCount, requests, out var faults);
        foreach (var socket in bound.SelectMany(static listener => listener.Sockets))
        {
            socket.Dispose();
        }

        return faults.Select(Describe);
    }

    private IEnumerable<string> UnixSocketUses() =>
        Options.Listeners
            .SelectMany(static listener => listener.Binds
                .Where(static bind => bind.IsUnix)
                .Select(bind => $"listener {listener.Name}: {bind}"))
            .Concat(Options.Routes.OfType<ProxyRouteOptions>().SelectMany(static route => route.Upstreams
                .Where(static upstream => upstream.Unix is not null)
                .Select(upstream => $"route {route.Name}: upstream {upstream}")));

    private IEnumerable<string> PeerSocketUses()
    {
        var listeners = Options.Listeners
            .Where(static listener => listener.Sessions.Socket != SessionSocket.Shared)
            .Select(static listener => $"listener {listener.Name}: session-socket other than shared");
        var routes = Options.Routes.OfType<ProxyRouteOptions>()
            .Where(static route => route.Settings.Replies == UpstreamReplies.Follow)
            .Select(static route => $"route {route.Name}: upstream-replies = follow");
        return listeners.Concat(routes);
    }
}

/// <summary>What came of reading a configuration: a setup, or faults.</summary>
/// <param name="Setup">Null exactly if there are faults.</param>
/// <param name="Faults">A line each.</param>
/// <param name="Warnings">A line each.</param>
/// <param name="Files">Also of a refused one: what would have to change.</param>
internal sealed record LoadedSetup(
    RouterSetup? Setup,
    IReadOnlyList<string> Faults,
    IReadOnlyList<string> Warnings,
    IReadOnlyDictionary<string, string?> Files)
{
    /// <summary>The faults, and behind them warnings that may explain them, for people.</summary>
    public IReadOnlyList<string> Lines => [.. Faults, .. Warnings.Select(static warning => $"{warning} (warning)")];

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
        string? file, IReadOnlyList<string> settings, ProgramParts parts, TimeProvider time) => Load(
            () => ConfigurationLoader.Load(RouteTypes.All, file, settings, Environment.GetEnvironmentVariable),
            file ?? "built-in", parts, time);

    /// <param name="read">Called now, and once more by every reload.</param>
    /// <param name="source">For the log.</param>
    /// <param name="parts">What routes may name.</param>
    /// <param name="time">The clock of what is made here.</param>
    public static LoadedSetup Load(Func<LoadResult> read, string source, ProgramParts parts, TimeProvider time)
    {
        var result = read();
        IReadOnlyList<string> faults = TextsOf(result.Faults);
        RouterPlan? plan = null;
        if (result.Options is { } options)
        {
            plan = new RouterPlanner(options, parts, time).Make(out faults);
            faults = [.. faults, .. TextsOf(AkkaSection.FaultsOf(options.Akka))];
        }

        var setup = faults.Count > 0
            ? null
            : new RouterSetup(result.Options!, plan!, source, result.Files, () => Load(read, source, parts, time))
            {
                Root = result.Root!,
            };
        return new LoadedSetup(setup, faults, TextsOf(result.Warnings), result.Files);
    }

    private static string[] TextsOf(IEnumerable<ConfigurationFault> faults) =>
        [.. faults.Select(static fault => fault.ToString())];
}

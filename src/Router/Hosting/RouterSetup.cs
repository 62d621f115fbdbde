using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>A configuration that may be started.</summary>
internal sealed record RouterSetup(RouterOptions Options, RouterPlan Plan)
{
    /// <summary>Chooses the network and starts the router on it.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="random">For seeds and ids.</param>
    /// <param name="log">The router's log.</param>
    /// <param name="faults">One line per listener that could not be bound: listener, address, errno name and text, what
    /// to do.</param>
    /// <returns>Null exactly if there are faults.</returns>
    public RouterEngine? Start(TimeProvider time, RandomSource random, ILogger log, out IReadOnlyList<string> faults)
    {
        var wish = Options.Network switch
        {
            NetworkChoice.Linux => NetworkWish.Linux,
            NetworkChoice.Portable => NetworkWish.Portable,
            _ => NetworkWish.Auto,
        };
        if (!NetworkSelection.TrySelect(wish, out var network, out var reason))
        {
            faults = [reason];
            return null;
        }

        if (network.Processes.Fault is { } fault
            && Plan.Listeners.Any(static listener => listener.Route is ExecRoute))
        {
            faults =
            [
                .. Plan.Listeners
                    .Where(static listener => listener.Route is ExecRoute)
                    .Select(listener => $"listener {listener.Name}: route {listener.Route.Name}: {fault}"),
            ];
            return null;
        }

        if (!network.SupportsPeerSockets && WhatNeedsPeerSockets() is { Count: > 0 } needs)
        {
            faults = [.. needs.Select(need => $"{need} needs Linux sockets, but these are {network.Name}: {reason}")];
            return null;
        }

        var engine = RouterEngine.Start(Plan, new RouterSeams(network, reason, time, random), log, out var bindFaults);
        faults =
        [
            .. bindFaults.Select(static fault =>
                $"listener {fault.Request.Listener}: {fault.Request}: " +
                ErrnoText.Describe(fault.Errno, SocketOperation.Bind)),
        ];
        return engine;
    }

    private List<string> WhatNeedsPeerSockets() =>
    [
        .. Options.Listeners
            .Where(static listener => listener.SessionSocket != SessionSocketChoice.Shared)
            .Select(static listener => $"listener {listener.Name}: session-socket other than shared"),
        .. Options.Routes.OfType<ProxyRouteOptions>()
            .Where(static route => route.UpstreamReplies == UpstreamReplies.Follow)
            .Select(static route => $"route {route.Name}: upstream-replies = follow"),
    ];
}

/// <summary>What became of a configuration: a setup, or faults, a line each.</summary>
internal sealed record LoadedRouter(RouterSetup? Setup, IReadOnlyList<string> Faults, IReadOnlyList<string> Warnings)
{
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
internal static class RouterLoader
{
    /// <param name="file">A HOCON file; null for the built-in default.</param>
    /// <param name="settings"><c>key=value</c>, on top of it.</param>
    /// <param name="handlers">What routes of type handler may name.</param>
    /// <param name="time">The clock of what is made here.</param>
    /// <param name="parts">What other routes may name; null for nothing.</param>
    public static LoadedRouter Load(
        string? file,
        IReadOnlyList<string> settings,
        IReadOnlyDictionary<string, Func<SessionHandler>> handlers,
        TimeProvider time,
        RouterParts? parts = null)
    {
        var result = RouterConfiguration.Load(file, settings, Environment.GetEnvironmentVariable);
        var warnings = result.Warnings.Select(static warning => warning.ToString()).ToList();
        if (result.Options is not { } options)
        {
            return new LoadedRouter(null, [.. result.Faults.Select(static fault => fault.ToString())], warnings);
        }

        var planner = new RouterPlanner(options, handlers, time, parts ?? RouterParts.None);
        var plan = planner.Make(file ?? "built-in", out var faults);
        return new LoadedRouter(plan is null ? null : new RouterSetup(options, plan), faults, warnings);
    }
}

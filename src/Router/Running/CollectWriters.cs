using Microsoft.Extensions.Logging;
using Router.Loop;
using Router.Reporting;
using Router.Routes;
using Router.Sessions;

namespace Router.Running;

/// <summary>The writers behind a router's collect routes. One is started with its route, and ended when the router
/// stops, or when a reload has removed the route and its last session is gone.</summary>
internal sealed class CollectWriters(IReadOnlyList<IoLoop> loops, TimeProvider time, ILogger log)
{
    /// <summary>The least time that writing out is given, however long sessions took to finish.</summary>
    private static readonly TimeSpan FinishTimeMin = TimeSpan.FromSeconds(1);

    private readonly CollectFiles _files = new();
    private readonly CollectEvents _events = new(log, time);
    private readonly List<(CollectRoute Route, CollectWriter Writer)> _writers = [];
    private HashSet<CollectRoute> _current = [];
    private Task _ended = Task.CompletedTask;

    /// <summary>Starts a writer for each new route. Those of removed routes go on for their live sessions.</summary>
    public void Start(IEnumerable<Route> routes)
    {
        _current = [.. routes.OfType<CollectRoute>()];
        var environment = new CollectEnvironment(_events, time, loops[0], _files);
        foreach (var route in _current)
        {
            if (route.MakeSink is not { } makeSink || _writers.Exists(each => ReferenceEquals(each.Route, route)))
            {
                continue;
            }

            var writer = new CollectWriter(route.Name, makeSink(environment), time, environment.Events);
            route.Outlet = writer;
            writer.Start();
            _writers.Add((route, writer));
        }
    }

    /// <summary>Ends the writers of removed routes that no session uses. One that is still used is looked at again
    /// after the next reload.</summary>
    public void EndUnused()
    {
        var unused = _writers.FindAll(each => !_current.Contains(each.Route) && each.Route.IsUnused);
        _writers.RemoveAll(unused.Contains);
        _ended = Task.WhenAll([_ended, .. unused.Select(each => EndAsync(each.Writer, FinishTimeMin))]);
    }

    /// <inheritdoc cref="RouterEngine.ReopenFiles"/>
    public int CloseFiles() => _files.CloseAll();

    /// <summary>Writes out what is left. Called when all sessions have ended, while the loops still run.</summary>
    /// <param name="limit">How long it may take; what is not written then is lost, and the log says so.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        var allowed = limit > FinishTimeMin ? limit : FinishTimeMin;
        await Task.WhenAll(_writers.Select(async each =>
        {
            await each.Route.FinishAsync(loops, allowed).ConfigureAwait(false);
            await EndAsync(each.Writer, allowed).ConfigureAwait(false);
        }).Append(_ended)).ConfigureAwait(false);
        _events.Dispose();
    }

    private static async Task EndAsync(CollectWriter writer, TimeSpan limit)
    {
        await writer.StopAsync(limit).ConfigureAwait(false);
        writer.Dispose();
    }
}

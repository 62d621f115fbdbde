using Microsoft.Extensions.Logging;
using Router.Loop;
using Router.Reporting;
using Router.Routes;
using Router.Sessions;

namespace Router.Running;

/// <summary>The writers behind a router's collect routes: started with them, emptied when the router stops, or once a
/// reload has left a route without sessions.</summary>
internal sealed class CollectWriters(IReadOnlyList<IoLoop> loops, TimeProvider time, ILogger log)
{
    /// <summary>What writing out is given at least, however long sessions took to finish.</summary>
    private static readonly TimeSpan FinishTimeMin = TimeSpan.FromSeconds(1);

    private readonly CollectFiles _files = new();
    private readonly List<(CollectRoute Route, CollectWriter Writer)> _writers = [];
    private HashSet<CollectRoute> _current = [];
    private Task _ended = Task.CompletedTask;

    /// <summary>Starts what is new among the routes; what is gone from them goes on for its live sessions.</summary>
    public void Start(IEnumerable<Route> routes)
    {
        _current = [.. routes.OfType<CollectRoute>()];
        var environment = new CollectEnvironment(new CollectEvents(log), time, loops[0], _files);
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

    /// <summary>
    /// Everything goes by the routes of the last start now: ends the writers of others that no session uses. One that
    /// is used still is looked at again after the next reload.
    /// </summary>
    public void EndUnused()
    {
        var unused = _writers.FindAll(each => !_current.Contains(each.Route) && each.Route.IsUnused);
        _writers.RemoveAll(unused.Contains);
        _ended = Task.WhenAll([_ended, .. unused.Select(each => EndAsync(each.Writer, FinishTimeMin))]);
    }

    /// <summary>Once all sessions have ended, while the loops still run: writes out what is left.</summary>
    /// <param name="limit">How long it may take; then what is left is lost, and recorded.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        var allowed = limit > FinishTimeMin ? limit : FinishTimeMin;
        await Task.WhenAll(_writers.Select(async each =>
        {
            await each.Route.FinishAsync(loops, allowed).ConfigureAwait(false);
            await EndAsync(each.Writer, allowed).ConfigureAwait(false);
        }).Append(_ended)).ConfigureAwait(false);
    }

    private static async Task EndAsync(CollectWriter writer, TimeSpan limit)
    {
        await writer.StopAsync(limit).ConfigureAwait(false);
        writer.Dispose();
    }
}

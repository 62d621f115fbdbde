using Microsoft.Extensions.Logging;
using Router.Net;
using Router.Routes.Collecting;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>The writers behind a router's collect routes: started with them, emptied when the router stops.</summary>
internal sealed class CollectService(IReadOnlyList<IoLoop> loops, TimeProvider time, ILogger log)
{
    /// <summary>What writing out is given at least, however long sessions took to finish.</summary>
    private static readonly TimeSpan FinishTimeMin = TimeSpan.FromSeconds(1);

    private readonly CollectFiles _files = new();
    private readonly List<(CollectRoute Route, CollectWriter Writer)> _writers = [];

    /// <summary>Starts what is new among the routes; what is gone from them goes on until the router stops.</summary>
    public void Start(IEnumerable<Route> routes)
    {
        var surroundings = new CollectSurroundings(new CollectEvents(log), time, loops[0], _files);
        foreach (var route in routes.OfType<CollectRoute>())
        {
            if (route.MakeSink is not { } makeSink || _writers.Exists(each => ReferenceEquals(each.Route, route)))
            {
                continue;
            }

            var writer = new CollectWriter(route.Name, makeSink(surroundings), time, surroundings.Events);
            route.Outlet = writer;
            writer.Start();
            _writers.Add((route, writer));
        }
    }

    /// <summary>Once all sessions have ended, while the loops still run: writes out what is left.</summary>
    /// <param name="limit">How long it may take; then what is left is lost, and recorded.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        var allowed = limit > FinishTimeMin ? limit : FinishTimeMin;
        await Task.WhenAll(_writers.Select(async each =>
        {
            await each.Route.FinishAsync(loops, allowed).ConfigureAwait(false);
            await each.Writer.StopAsync(allowed).ConfigureAwait(false);
            each.Writer.Dispose();
        })).ConfigureAwait(false);
    }
}

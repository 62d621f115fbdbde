using Microsoft.Extensions.Logging;
using Router.Admin;
using Router.Net;
using Router.Running;

namespace Router.Hosting;

/// <summary>Starts a router with its admin endpoint, if it has one: both are bound, or neither.</summary>
internal static class AdminStart
{
    /// <returns>No engine exactly if there are faults; no endpoint where none is asked for. The endpoint is to be
    /// started.</returns>
    public static (RouterEngine? Engine, AdminEndpoint? Endpoint) Start(
        RouterSetup setup, TimeProvider time, ILogger log, ActorSystemHandle system, out IReadOnlyList<string> faults)
    {
        var endpoint = AdminEndpoint.Bind(setup.Options.Admin, out var refused);
        var engine = setup.Start(time, RandomSource.System, log, system, out faults, refused);
        if (engine is null)
        {
            endpoint?.Release();
            return default;
        }

        MemberAnswers.Start(engine, log, time);
        return (engine, endpoint);
    }

    /// <summary>Waits for the end of an endpoint whose router has ended.</summary>
    public static async Task EndAsync(AdminEndpoint? endpoint)
    {
        if (endpoint is not null)
        {
            await endpoint.DisposeAsync().ConfigureAwait(false);
        }
    }
}

using Microsoft.Extensions.Logging;
using Router.Net;
using Router.Running;

namespace Router.Tests.Running;

/// <summary>A router in an actor system of its own, as <c>router run</c> starts it.</summary>
internal static class OwnSystem
{
    /// <returns>Null exactly if there are faults.</returns>
    public static RouterEngine? Start(
        this RouterSetup setup, TimeProvider time, RandomSource random, ILogger log, out IReadOnlyList<string> faults)
    {
        var system = ActorSystemHandle.TryMake(setup.Options, time, out var fault);
        if (system is null)
        {
            faults = [fault!.Text];
            return null;
        }

        var engine = setup.Start(time, random, log, system, out faults);
        if (engine is null)
        {
            _ = system.System.Terminate();
        }

        return engine;
    }
}

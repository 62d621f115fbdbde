using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Routes;
using Router.Running;

namespace Router.Hosting;

/// <summary>Warns of actor routes without an actor, once all actors of the program have been started.</summary>
/// <remarks>It is no fault: the program may start or register an actor at any time.</remarks>
internal static class ActorRouteCheck
{
    /// <summary>How long an actor on another machine may take to answer.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(RouterSetup setup, ActorSystem system, ILogger log)
    {
        foreach (var options in setup.Options.Routes.OfType<ActorRouteOptions>())
        {
            var route = (ActorRoute)setup.Plan.Routes[options.Name];
            if (await FaultOfAsync(route, system).ConfigureAwait(false) is { } fault)
            {
                var warning = options.Section.FaultAt(
                    route.Path is null ? "key" : "path",
                    $"{fault}; until there is one, the route's sessions close as upstream-failed");
                HostLog.ConfigurationWarning(log, warning.ToString());
            }
        }
    }

    private static async Task<string?> FaultOfAsync(ActorRoute route, ActorSystem system)
    {
        try
        {
            if (route.Find is { } find)
            {
                return find().IsNobody() ? "the program knows no actor of this key" : null;
            }

            await system.ActorSelection(route.Path).ResolveOne(AnswerTimeout).ConfigureAwait(false);
            return null;
        }
        catch (ActorNotFoundException)
        {
            return "there is no actor at this path";
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return $"the program failed to find its actor: {failure.Message.ReplaceLineEndings(" ")}";
        }
    }
}

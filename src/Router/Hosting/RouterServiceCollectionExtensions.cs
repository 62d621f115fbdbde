using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Router.Hosting;
using Router.Running;

// The namespace that a host's program imports already.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the router to a host.</summary>
public static class RouterServiceCollectionExtensions
{
    /// <summary>Runs a router within the host, in an actor system made for it. It starts and stops with the host.
    /// <see cref="IRouterControl"/>, the actor system and its registry are added as services too. A program that has an
    /// actor system adds the router to that instead:
    /// <see cref="AkkaRouterExtensions.WithRouter(AkkaConfigurationBuilder, string, Action{RouterBuilder}?, string)"/>.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="configFile">A HOCON file; relative to the working directory. A refused one fails the host's start
    /// with all faults at once.</param>
    /// <param name="configure">Adds the handlers that the file's routes name.</param>
    /// <exception cref="InvalidOperationException">The program has an actor system, or a router.</exception>
    public static IServiceCollection AddRouter(
        this IServiceCollection services, string configFile, Action<RouterBuilder>? configure = null)
    {
        if (services.Any(static service => service.ServiceType == typeof(ActorSystem)))
        {
            throw new InvalidOperationException(RouterService.TwoSystems);
        }

        var builder = new RouterBuilder();
        configure?.Invoke(builder);
        services.TryAddSingleton(TimeProvider.System);
        var launch = new RouterLaunch(
            configFile, builder, ActorSystemHandle.DefaultName, new RouterControl(), TimeProvider.System);
        services.AddSingleton(launch);
        services.AddSingleton<IRouterControl>(launch.Control);
        return services.AddAkka<RouterService>(ActorSystemHandle.DefaultName, (akka, _) => akka
            .AddHocon("akka.coordinated-shutdown.run-by-clr-shutdown-hook = off", HoconAddMode.Append)
            .AddHocon("akka.loglevel = WARNING", HoconAddMode.Append)
            .WithRouter(launch, static (registry, actor) => registry.Register<RouterActorKey>(actor)));
    }
}

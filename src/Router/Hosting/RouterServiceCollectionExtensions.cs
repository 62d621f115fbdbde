using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Router.Hosting;

// Where hosts look for it: no using is needed beside the host's own.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the router to a host.</summary>
public static class RouterServiceCollectionExtensions
{
    /// <summary>Runs a router within the host: it starts and stops with it. <see cref="IRouterControl"/> is added as a
    /// service too.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="configFile">A HOCON file; relative to the working directory. A refused one fails the host's start
    /// with all faults at once.</param>
    /// <param name="configure">Adds the handlers that the file's routes name.</param>
    public static IServiceCollection AddRouter(
        this IServiceCollection services, string configFile, Action<RouterBuilder>? configure = null)
    {
        var builder = new RouterBuilder();
        configure?.Invoke(builder);
        services.TryAddSingleton(TimeProvider.System);
        var control = new RouterControl();
        services.AddSingleton<IRouterControl>(control);
        services.AddHostedService(provider => new RouterService(
            configFile,
            builder,
            control,
            provider,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        return services;
    }
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Net;

namespace Router.Hosting;

/// <summary>
/// The configuration was refused, or a listener could not be bound; the message lists every fault, a line each.
/// </summary>
public sealed class RouterStartException(IReadOnlyList<string> faults)
    : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}

/// <summary>The router as a service of a host.</summary>
internal sealed class RouterService(
    string configFile,
    RouterBuilder builder,
    RouterControl control,
    IServiceProvider services,
    TimeProvider time,
    ILoggerFactory loggers)
    : IHostedService
{
    /// <summary>The running router; null before the start and after a failed one.</summary>
    internal RouterEngine? Engine => control.Engine;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var handlers = builder.Handlers.ToDictionary(
            static handler => handler.Key, handler => handler.Value(services), StringComparer.Ordinal);
        var log = loggers.CreateLogger(RouterRunner.LogCategory);
        var loaded = RouterLoader.Load(configFile, builder.Settings, handlers, time, builder.PartsWith(services));
        if (loaded.Setup is not { } setup)
        {
            throw new RouterStartException(loaded.Faults);
        }

        loaded.LogWarnings(log);
        control.Engine = setup.Start(time, RandomSource.System, log, out var faults);
        return control.Engine is null ? throw new RouterStartException(faults) : Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (control.Engine is { } engine)
        {
            await engine.StopAsync("host", cancellationToken).ConfigureAwait(false);
        }
    }
}

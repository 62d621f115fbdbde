using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Loop;
using Router.Running;

namespace Router.Hosting;

/// <summary>The configuration was refused, or a listener could not be bound. The message has every fault, a line each.
/// </summary>
public sealed class RouterStartException(IReadOnlyList<string> faults)
    : Exception(string.Join(Environment.NewLine, faults.Select(LineText.Escape)))
{
    /// <summary>Every fault on one line, with its place and what to do.</summary>
    public IReadOnlyList<string> Faults { get; } = [.. faults.Select(LineText.Escape)];
}

/// <summary>The router as a service of a host, with the actor system that was made for it.</summary>
/// <remarks>Akka.Hosting's own service writes a failed start to standard output, so the router is started before it. It
/// has no time-out for a stop, so the host's is passed on to the router.</remarks>
internal sealed class RouterService(
    AkkaConfigurationBuilder akka,
    RouterLaunch launch,
    IServiceProvider services,
    TimeProvider time,
    ILogger<AkkaHostedService> log,
    IHostApplicationLifetime lifetime)
    : AkkaHostedService(akka, services, log, lifetime)
{
    public const string TwoSystems =
        "this program has an actor system, or a router, already: services.AddAkka(name, akka => "
        + "akka.WithRouter(file, router => ...)) adds a router to it, and a second one with a name of its own";

    /// <summary>The running router; null before the start and after a failed one.</summary>
    internal RouterEngine? Engine => launch.Control.Engine;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!launch.IsRead)
        {
            throw new InvalidOperationException(TwoSystems);   // AddAkka after AddRouter: the later one counts
        }

        var system = MakeSystem();
        try
        {
            launch.Start(system, ServiceProvider);
        }
        catch (RouterStartException)
        {
            await system.Terminate().ConfigureAwait(false);
            throw;
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
        _ = StopWithRouterAsync(Engine!, ServiceProvider.GetRequiredService<IHostApplicationLifetime>());
    }

    private ActorSystem MakeSystem()
    {
        try
        {
            return ClockScheduler.Create(time, ServiceProvider.GetRequiredService<ActorSystem>);
        }
        catch (Exception failure) when (launch.FaultOf(failure) is { } fault)
        {
            throw new RouterStartException([fault.Text]);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.Register(() => Engine?.EndDrain());
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await launch.EndAdminAsync().ConfigureAwait(false);
    }

    /// <summary>Stops the host when the router's actor was stopped, or the cluster has downed it: the host was started
    /// for the router.</summary>
    private static async Task StopWithRouterAsync(RouterEngine engine, IHostApplicationLifetime lifetime)
    {
        if (await engine.Ended.ConfigureAwait(false) != RouterEnd.Stopped)
        {
            lifetime.StopApplication();
        }
    }
}

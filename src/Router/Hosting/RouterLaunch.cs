using Akka.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Configuration;
using Router.Net;
using Router.Reporting;
using Router.Routes;
using Router.Running;

namespace Router.Hosting;

/// <summary>A router on its way into an actor system: read first, since the file has a say in how the system is made,
/// started once there is one.</summary>
internal sealed class RouterLaunch(
    string configFile, RouterBuilder builder, string name, RouterControl control, TimeProvider fallbackTime)
{
    private LoadResult? _read;

    /// <summary>Whether its actor system has been configured with it.</summary>
    public bool IsRead { get; private set; }

    public RouterControl Control => control;

    /// <summary>What the file says about Akka.</summary>
    /// <exception cref="RouterStartException">The file is refused.</exception>
    public Config ReadAkka()
    {
        var read = Load();
        var faults = read.Options is null ? read.Faults : AkkaSection.FaultsOf(read.Options.Akka);
        if (faults.Count > 0)
        {
            throw new RouterStartException([.. faults.Select(static fault => fault.ToString())]);
        }

        _read = read;
        IsRead = true;
        return AkkaSection.ConfigOf(read.Options!.Akka);
    }

    /// <summary>Binds and starts; does nothing the second time.</summary>
    /// <param name="system">The program's, or the one made for this.</param>
    /// <param name="services">What handlers, the log and the clock come from.</param>
    /// <exception cref="RouterStartException">Nothing runs.</exception>
    public RouterEngine Start(ActorSystem system, IServiceProvider services)
    {
        if (control.Engine is { } running)
        {
            return running;
        }

        if (!RouterRegistry.Of(system).TryAdd(name, control))
        {
            var fault = "the actor system has a router of this name; WithRouter(..., name: ...) gives it another";
            throw new RouterStartException([$"router {name}: {fault}"]);
        }

        var time = services.GetService<TimeProvider>() ?? fallbackTime;
        var log = (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger(
            name == HostSystem.DefaultName ? RouterLogging.Category : $"{RouterLogging.Category}.{name}");
        var loaded = SetupLoader.Load(Read, configFile, builder.PartsWith(services), time);
        if (loaded.Setup is not { } setup)
        {
            throw new RouterStartException(loaded.Faults);
        }

        loaded.LogWarnings(log);
        var home = new HostSystem(system, name, IsOwn: false);
        var engine = setup.Start(time, RandomSource.System, log, home, out var faults);
        control.Engine = engine;
        return engine ?? throw new RouterStartException(faults);
    }

    /// <summary>The first time what was read already: the system has been made by it.</summary>
    private LoadResult Read() =>
        Interlocked.Exchange(ref _read, null)
        ?? Load();

    private LoadResult Load() => RouterConfiguration.Load(
        RouteTypes.With(builder.RouteTypes), configFile, builder.Settings, Environment.GetEnvironmentVariable);
}

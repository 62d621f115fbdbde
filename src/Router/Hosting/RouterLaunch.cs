using Akka.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Admin;
using Router.Cluster.Members;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting;
using Router.Routes;
using Router.Running;

namespace Router.Hosting;

/// <summary>Reads a router's file, which has settings of the actor system too, and starts the router when there is a
/// system.</summary>
internal sealed class RouterLaunch(
    string configFile, RouterBuilder builder, string name, RouterControl control, TimeProvider fallbackTime)
{
    private LoadResult? _read;
    private AdminEndpoint? _admin;
    private ILogger _log = NullLogger.Instance;

    /// <summary>Whether the actor system has been configured by the file.</summary>
    public bool IsRead { get; private set; }

    public RouterControl Control => control;

    /// <summary>The file's section <c>akka</c>, over what its cluster needs.</summary>
    /// <exception cref="RouterStartException">The file is refused.</exception>
    public Config ReadAkka()
    {
        var read = Load();
        var faults = read.Options is null ? read.Faults : AkkaSection.FaultsOf(read.Options.Akka);
        if (faults.Count > 0)
        {
            var hints = read.Options is null ? read.Warnings : [];
            throw new RouterStartException(
                [.. faults.Select(static fault => $"{fault}"), .. hints.Select(static hint => $"{hint} (warning)")]);
        }

        _read = read;
        IsRead = true;
        var said = AkkaSection.ConfigOf(read.Options!.Akka);
        return read.Options.Cluster is { } cluster ? said.WithFallback(ClusterSettings.Of(cluster)) : said;
    }

    /// <summary>Why the actor system that the file configures was not made; null for what is no fault of it.</summary>
    public ActorSystemFault? FaultOf(Exception failure) =>
        _read?.Options is { } options ? ActorSystemFault.Of(options, failure) : null;

    /// <summary>Binds and starts the router, if that has not been done yet.</summary>
    /// <param name="system">The program's, or the one that <c>AddRouter</c> made.</param>
    /// <param name="services">Handlers, the log and the clock come from there.</param>
    /// <exception cref="RouterStartException">Nothing runs.</exception>
    public RouterEngine Start(ActorSystem system, IServiceProvider services)
    {
        if (control.Engine is { } running)
        {
            return running;
        }

        var registry = RouterRegistry.Of(system);
        if (!registry.TryAdd(name, control))
        {
            var fault = "the actor system has a router of this name; WithRouter(..., name: ...) gives it another";
            throw new RouterStartException([$"router {name}: {fault}"]);
        }

        var time = services.GetService<TimeProvider>() ?? fallbackTime;
        var loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _log = new HostLogger(loggers.CreateLogger(
            name == ActorSystemHandle.DefaultName ? RouterLogging.Category : $"{RouterLogging.Category}.{name}"));
        var loaded = SetupLoader.Load(Read, configFile, builder.PartsWith(services), time);
        if (loaded.Setup is not { } setup)
        {
            throw new RouterStartException(loaded.Faults);
        }

        if (setup.Options.Cluster is { } cluster && registry.Claim(name) is { } member)
        {
            var fault = new ConfigurationFault(
                cluster.Section.Origin, cluster.Section.Path,
                $"the actor system is a member already, by router {member}: leave cluster {{ }} out of the file of "
                + $"router {name}, or give that an actor system of its own");
            throw new RouterStartException([$"{fault}"]);
        }

        var feed = new EventFeed(setup.Options.Admin.Streams);
        if (setup.Options.Admin.Bind is not null)
        {
            _log = feed.Follow(_log, time);
        }

        loaded.LogWarnings(_log);
        var handle = new ActorSystemHandle(system, name, IsOwned: false);
        (var engine, _admin) = AdminStart.Start(setup, time, _log, handle, out var faults);
        control.Engine = engine;
        if (engine is null)
        {
            throw new RouterStartException(faults);
        }

        _admin?.Start(new AdminHost(engine, _log, feed, time, Level: null, () => Drain(engine, services)));
        return engine;
    }

    /// <summary>Waits for the end of the admin endpoint, when the router has ended.</summary>
    public Task EndAdminAsync() => AdminStart.EndAsync(_admin);

    /// <summary>Called when the program's actors have been started.</summary>
    public Task CheckActorRoutesAsync(ActorSystem system) =>
        control.Engine is { } engine ? ActorRouteCheck.RunAsync(engine.Setup, system, _log) : Task.CompletedTask;

    /// <summary>As SIGTERM does: stops the host. A program without one stops its router alone.</summary>
    private static void Drain(RouterEngine engine, IServiceProvider services)
    {
        if (services.GetService<IHostApplicationLifetime>() is { } lifetime)
        {
            lifetime.StopApplication();
        }
        else
        {
            _ = engine.StopAsync("admin", CancellationToken.None);
        }
    }

    /// <summary>The first time this is what the actor system was configured by.</summary>
    private LoadResult Read() =>
        Interlocked.Exchange(ref _read, null)
        ?? Load();

    private LoadResult Load() => ConfigurationLoader.Load(
        RouteTypes.With(builder.RouteTypes), configFile, builder.Settings, Environment.GetEnvironmentVariable);
}

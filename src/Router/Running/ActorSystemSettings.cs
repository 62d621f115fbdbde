using Router.Cluster.Members;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Loop;
using Router.Reporting;
using AkkaConfigurationFactory = Akka.Configuration.ConfigurationFactory;

namespace Router.Running;

/// <summary>The Akka settings that a router needs of its actor system.</summary>
internal static class ActorSystemSettings
{
    /// <summary>The dispatcher of handlers that block.</summary>
    public const string PoolDispatcher = Dispatchers.DefaultDispatcherId;

    /// <summary>The phase of <see cref="CoordinatedShutdown"/> that routers drain in.</summary>
    public const string DrainPhase = "router-drain";

    /// <summary>The phase's time-out is one that no drain reaches. Akka fixes it when the system starts, while a reload
    /// may raise <c>drain-timeout</c>, to a day at most, which the router keeps by itself. The phase is the router's
    /// own, so that a program's tasks in Akka's phases keep their time-outs.</summary>
    private const string DrainPhaseSettings =
        $$"""
        akka.coordinated-shutdown.phases {
          {{DrainPhase}} {
            depends-on = [service-unbind]
            timeout = 90000 s
          }
          service-requests-done.depends-on = [service-unbind, {{DrainPhase}}]
        }
        """;

    /// <summary>For a system that the router owns: its scheduler sleeps while nothing is due, Akka writes nothing
    /// beside our log, and the router decides when the system ends.</summary>
    private static string OwnSettings =>
        $$"""
        {{ClockScheduler.Setting}}
        {{DrainPhaseSettings}}
        akka {
          loglevel = WARNING
          loggers = []
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    /// <summary>Defaults for a program's system, which the program's own settings win over. Akka starts the logger, and
    /// the program decides when the system ends.</summary>
    public static string ProgramSettings =>
        $$"""
        {{ClockScheduler.Setting}}
        {{DrainPhaseSettings}}
        akka {
          loggers = ["{{typeof(ActorLogActor).AssemblyQualifiedName}}"]
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
        }
        """;

    /// <param name="name">The system's.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="akka">The file's section <c>akka</c>, which wins over our settings; null for none.</param>
    /// <param name="cluster">Null for a system that is no member of a cluster.</param>
    public static ActorSystem Create(
        string name, TimeProvider time, HoconObject? akka = null, ClusterOptions? cluster = null)
    {
        var settings = AkkaConfigurationFactory.ParseString(OwnSettings);
        if (cluster is not null)
        {
            settings = settings.WithFallback(ClusterSettings.Of(cluster));
        }

        var config = akka is null ? settings : AkkaSection.ConfigOf(akka).WithFallback(settings);
        return ClockScheduler.Create(time, () => ActorSystem.Create(name, config));
    }
}

using Router.Configuration.Hocon;
using Router.Loop;
using Router.Reporting;
using AkkaConfigurationFactory = Akka.Configuration.ConfigurationFactory;

namespace Router.Running;

/// <summary>What an actor system with a router in it must be set to.</summary>
internal static class ActorSystemSettings
{
    /// <summary>Where handlers that block run.</summary>
    public const string PoolDispatcher = Dispatchers.DefaultDispatcherId;

    /// <summary>The phase of <see cref="CoordinatedShutdown"/> that routers drain in.</summary>
    public const string DrainPhase = "router-drain";

    /// <summary>The phase has its own name, and a time that no drain reaches: a phase's time is fixed when the system
    /// starts, while a reload may raise <c>drain-timeout</c>, to a day at most, and the router keeps to that by itself.
    /// What a program has in Akka's own phases keeps its time.</summary>
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

    /// <summary>What a router's own system differs in from Akka's defaults: a scheduler that sleeps, no word of Akka's
    /// past our log, and an end that the router decides.</summary>
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

    /// <summary>What a program's system has where the program says nothing else: the same, but that Akka starts the
    /// logger, and that the program's end is the program's.</summary>
    public static string GuestSettings =>
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

    /// <param name="name">Of the system.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="akka">The file's section, on top of our settings; null for none.</param>
    public static ActorSystem Create(string name, TimeProvider time, HoconObject? akka = null)
    {
        var settings = AkkaConfigurationFactory.ParseString(OwnSettings);
        var config = akka is null ? settings : AkkaSection.ConfigOf(akka).WithFallback(settings);
        return ClockScheduler.Create(time, () => ActorSystem.Create(name, config));
    }
}

using Akka.Configuration;
using Router.Net;

namespace Router.Hosting;

/// <summary>Makes a router's own actor system, for who has none.</summary>
internal static class EngineSystem
{
    /// <summary>Where handlers that block run.</summary>
    public const string PoolDispatcher = Dispatchers.DefaultDispatcherId;

    /// <summary>What a router's own system differs in from Akka's defaults: a scheduler that sleeps, no word of Akka's
    /// past our log, and an end that the router decides.</summary>
    private static string Settings =>
        $$"""
        {{ClockScheduler.Setting}}
        akka {
          loggers = []
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    public static ActorSystem Create(string name, TimeProvider time) =>
        ClockScheduler.Create(time, () => ActorSystem.Create(name, ConfigurationFactory.ParseString(Settings)));
}

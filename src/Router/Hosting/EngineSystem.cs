using Router.Net;
#if ACTOR_ENGINE_AKKA
using Akka.Configuration;
#else
using Router.Configuration.Hocon;
#endif

namespace Router.Hosting;

/// <summary>
/// Makes the actor system with the loops as dispatchers: the one place where the two actor engines are configured.
/// </summary>
internal static class EngineSystem
{
    /// <summary>Where handlers that block run.</summary>
    public const string PoolDispatcher = "akka.actor.default-dispatcher";

    public static ActorSystem Create(string name, IoLoopGroup loops) =>
        ActorSystem.Create(name, ConfigurationFactory.ParseString(loops.DispatcherConfig));
}

using System.Collections.Concurrent;

namespace Router.Hosting;

/// <summary>An extension of an actor system: its routers by their names. Any thread.</summary>
internal sealed class RouterRegistry : ConcurrentDictionary<string, RouterControl>, IExtension
{
    public static RouterRegistry Of(ActorSystem system) => system.WithExtension<RouterRegistry, Id>();

    private sealed class Id : ExtensionIdProvider<RouterRegistry>
    {
        public override RouterRegistry CreateExtension(ExtendedActorSystem system) => new();
    }
}

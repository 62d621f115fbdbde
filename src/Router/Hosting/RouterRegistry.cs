using System.Collections.Concurrent;

namespace Router.Hosting;

/// <summary>An extension of an actor system: its routers by their names. Any thread.</summary>
internal sealed class RouterRegistry : ConcurrentDictionary<string, RouterControl>, IExtension
{
    public static RouterRegistry Of(ActorSystem system) => system.WithExtension<RouterRegistry, Id>();

    private string? _member;

    /// <summary>Has a router make the system a member of its cluster, which one alone can do.</summary>
    /// <returns>The name of the router that has done so before; null if none has.</returns>
    public string? Claim(string name) => Interlocked.CompareExchange(ref _member, name, null);

    private sealed class Id : ExtensionIdProvider<RouterRegistry>
    {
        public override RouterRegistry CreateExtension(ExtendedActorSystem system) => new();
    }
}

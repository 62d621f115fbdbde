namespace Router.Hosting;

/// <summary>The routers of one actor system; an extension of it. Any thread.</summary>
internal sealed class RouterRegistry : IExtension
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RouterControl> _controls = new(StringComparer.Ordinal);

    public static RouterRegistry Of(ActorSystem system) => system.WithExtension<RouterRegistry, Id>();

    /// <returns>False if a router has this name already.</returns>
    public bool TryAdd(string name, RouterControl control)
    {
        lock (_lock)
        {
            return _controls.TryAdd(name, control);
        }
    }

    /// <summary>Null if there is no router of this name.</summary>
    public RouterControl? Find(string name)
    {
        lock (_lock)
        {
            return _controls.GetValueOrDefault(name);
        }
    }

    private sealed class Id : ExtensionIdProvider<RouterRegistry>
    {
        public override RouterRegistry CreateExtension(ExtendedActorSystem system) => new();
    }
}

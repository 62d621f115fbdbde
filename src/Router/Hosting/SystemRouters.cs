using Microsoft.Extensions.Logging;

namespace Router.Hosting;

/// <summary>The routers of one actor system; an extension of it. Any thread.</summary>
internal sealed class SystemRouters(ActorSystem system) : IExtension
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RouterControl> _controls = new(StringComparer.Ordinal);
    private DeadLetterLog? _deadLetters;
    private int _counting;

    public static SystemRouters Of(ActorSystem system) => system.WithExtension<SystemRouters, Id>();

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

    /// <summary>Has dead letters counted, once for all routers of the system, in the first one's log.</summary>
    public void CountDeadLetters(ILogger log, TimeProvider time)
    {
        lock (_lock)
        {
            _counting++;
            _deadLetters ??= new DeadLetterLog(system, log, time);
        }
    }

    /// <summary>The last router that leaves ends the counting.</summary>
    public void LeaveDeadLetters()
    {
        lock (_lock)
        {
            if (--_counting == 0)
            {
                _deadLetters?.Close();
                _deadLetters = null;
            }
        }
    }

    private sealed class Id : ExtensionIdProvider<SystemRouters>
    {
        public override SystemRouters CreateExtension(ExtendedActorSystem system) => new(system);
    }
}

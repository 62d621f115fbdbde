using System.Collections.Concurrent;
using System.Reflection;
using Router.Configuration.Hocon;

namespace Router.Actors;

/// <summary>The dispatchers of a system by their configuration path, made when first looked up.</summary>
public sealed class Dispatchers
{
    public const string DefaultDispatcherId = "akka.actor.default-dispatcher";

    private readonly ActorSystem _system;
    private readonly DispatcherPrerequisites _prerequisites;
    private readonly ConcurrentDictionary<string, Lazy<MessageDispatcherConfigurator>> _configurators = new();

    internal Dispatchers(ActorSystem system)
    {
        _system = system;
        _prerequisites = new DispatcherPrerequisites(system);
    }

    public MessageDispatcher DefaultGlobalDispatcher => Lookup(DefaultDispatcherId);

    /// <summary>The dispatcher configured at a path.</summary>
    /// <exception cref="ConfigurationException">No such section, or its <c>type</c> cannot be made.</exception>
    public MessageDispatcher Lookup(string dispatcherId) =>
        _configurators.GetOrAdd(
            dispatcherId,
            static (id, self) => new Lazy<MessageDispatcherConfigurator>(() => self.Configure(id)),
            this).Value.Dispatcher();

    public bool HasDispatcher(string dispatcherId) =>
        dispatcherId == DefaultDispatcherId
        || _configurators.ContainsKey(dispatcherId)
        || _system.Settings.Config.HasPath(dispatcherId);

    internal void ShutdownAll()
    {
        foreach (var configurator in _configurators.Values)
        {
            if (configurator.IsValueCreated)
            {
                configurator.Value.Dispatcher().ShutdownNow();
            }
        }
    }

    private MessageDispatcherConfigurator Configure(string id)
    {
        var config = _system.Settings.Config;
        if (!config.HasPath(id) && id != DefaultDispatcherId)
        {
            throw new ConfigurationException($"Dispatcher [{id}] is not configured.");
        }

        var own = ConfigurationFactory.ParseString($"id = \"{id}\"");
        var section = config.HasPath(id) ? own.WithFallback(config.GetConfig(id)) : own;
        var type = section.GetString("type", null) ?? "Dispatcher";
        return type == "Dispatcher"
            ? new PoolDispatcherConfigurator(section, _prerequisites)
            : TypeLoader.Create<MessageDispatcherConfigurator>(type, section, _prerequisites);
    }
}

/// <summary>Makes what the configuration names as <c>"Namespace.Type, Assembly"</c>.</summary>
internal static class TypeLoader
{
    public static T Create<T>(string typeName, params object[] arguments)
        where T : class
    {
        var type = Type.GetType(typeName, throwOnError: false)
            ?? throw new ConfigurationException($"Type [{typeName}] cannot be found.");
        try
        {
            return Activator.CreateInstance(
                type,
                BindingFlags.Instance
                    | BindingFlags.Public
                    | BindingFlags.NonPublic,
                binder: null,
                arguments,
                culture: null) as T
                ?? throw new ConfigurationException($"Type [{typeName}] is no {typeof(T).Name}.");
        }
        catch (MissingMethodException e)
        {
            throw new ConfigurationException($"Type [{typeName}] lacks the expected constructor.", e);
        }
        catch (TargetInvocationException e)
        {
            throw new ConfigurationException($"Type [{typeName}] cannot be made.", e.InnerException ?? e);
        }
    }
}

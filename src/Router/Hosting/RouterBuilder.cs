using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Router.Configuration;
using Router.Routes;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>Adds to a router what the program has and the configuration file names: handlers, actors, types of
/// routes.</summary>
public sealed class RouterBuilder
{
    private readonly Dictionary<(Type, string), Action<IServiceProvider?, ProgramParts>> _parts = [];

    internal List<RouteType> RouteTypes { get; } = [];

    internal List<string> Settings { get; } = [];

    /// <summary>
    /// Registers a handler that routes of type <c>handler</c> name: <c>{ type = handler, name = echo }</c>.
    /// </summary>
    /// <typeparam name="T">Made once per session, and again when it is replaced after a failure. Its constructor's
    /// parameters come from the host's services, in a scope of the handler's own: both are disposed once it has been
    /// told of its end, or is replaced. A <c>DisposeAsync</c> is not waited for. Services that are missing are a fault
    /// of the start, or of the reload, for routes that name the handler.</typeparam>
    /// <param name="name">As routes name it. Adding a name twice is an error.</param>
    public RouterBuilder AddHandler<T>(string name)
        where T : SessionHandler =>
        Add(name, static services => new ServiceFactory(services, typeof(T)).FactoryOf<SessionHandler>());

    /// <summary>The same with a factory of the program's own, called once per session, on its dispatcher. A handler
    /// that is disposable is disposed with its session, so sessions must not share it.</summary>
    public RouterBuilder AddHandler(string name, Func<SessionHandler> create) => Add(name, _ => create);

    /// <summary>
    /// Registers what takes the windows of routes that name it: <c>{ type = collect, to = handler, name = tally }</c>.
    /// </summary>
    /// <typeparam name="T">Made once per route; its constructor's parameters come from the host's services, in a scope
    /// of its own. Both are disposed when the last window has been written. Missing services are a fault of the
    /// start.</typeparam>
    /// <param name="name">As routes name it. Adding a name twice is an error.</param>
    public RouterBuilder AddWindowHandler<T>(string name)
        where T : WindowHandler =>
        Add(name, static services => new ServiceFactory(services, typeof(T)).FactoryOf<WindowHandler>());

    /// <summary>The same with a factory of the program's own, called once per route.</summary>
    public RouterBuilder AddWindowHandler(string name, Func<WindowHandler> create) => Add(name, _ => create);

    /// <summary>
    /// Registers what decides which room a session joins, for routes that name it:
    /// <c>{ type = room, join = handler, name = lobby }</c>.
    /// </summary>
    /// <typeparam name="T">Made once per route, when it is first asked; its constructor's parameters come from the
    /// host's services, in a scope of its own. Both are disposed when the router stops. Missing services are a fault of
    /// the start.</typeparam>
    /// <param name="name">As routes name it. Adding a name twice is an error.</param>
    public RouterBuilder AddRoomJoin<T>(string name)
        where T : RoomJoin =>
        Add(name, static services => new ServiceFactory(services, typeof(T)).FactoryOf<RoomJoin>());

    /// <summary>Registers an actor that routes of type <c>actor</c> name: <c>{ type = actor, key = backend }</c>.
    /// </summary>
    /// <param name="key">As routes name it. Adding a key twice is an error.</param>
    /// <param name="find">Gives the actor, from the host's services; asked when a session needs it and no living one is
    /// known, on a loop's thread, so it must not block. <see cref="ActorRefs.Nobody"/> for none: such sessions close as
    /// upstream-failed.</param>
    public RouterBuilder AddActor(string key, Func<IServiceProvider, IActorRef> find) =>
        Add<IActorRef>(key, services => () => find(services));

    /// <summary>The same for an actor of Akka.Hosting's registry, which the program's <c>AddAkka</c> fills.</summary>
    /// <typeparam name="TKey">What it is registered under.</typeparam>
    /// <param name="key">As routes name it. Adding a key twice is an error.</param>
    public RouterBuilder AddActor<TKey>(string key) => AddActor(
        key,
        static services => services.GetRequiredService<IReadOnlyActorRegistry>().TryGet<TKey>(out var actor)
            ? actor
            : ActorRefs.Nobody);

    /// <summary>Adds a type of routes, which declares keys of its own:
    /// <c>{ type = quotes, max-length = 80 }</c>. What all its routes have in common may stand under
    /// <c>route-defaults.quotes</c>.</summary>
    /// <param name="type">As routes name it. A type that is there already is an error.</param>
    /// <param name="read">Declares and reads the keys of one route, and gives what makes its handlers: that is called
    /// once per session, on its dispatcher. Called at the start, and again by every reload; a route whose keys have
    /// changed then serves new sessions. A value that it does not like is a fault
    /// (<see cref="SectionReader.Fault(string, string)"/>); what it throws is one at the entry.</param>
    public RouterBuilder AddRoute(string type, Func<SectionReader, Func<SessionHandler>> read)
    {
        if (Routes.RouteTypes.With(RouteTypes).Any(known => known.Name == type))
        {
            throw new ArgumentException($"there is a type of routes '{type}' already", nameof(type));
        }

        RouteTypes.Add(new RouteType(type, route => new ProgramRouteOptions(route, read)));
        return this;
    }

    /// <summary>A setting on top of the file, as <c>--set</c> has it: <c>router.loops=2</c>.</summary>
    public RouterBuilder Set(string setting)
    {
        Settings.Add(setting);
        return this;
    }

    internal ProgramParts PartsWith(IServiceProvider services) => Parts(services);

    /// <summary>What routes may name, of which nothing can be made.</summary>
    internal ProgramParts Names() => Parts(services: null);

    private ProgramParts Parts(IServiceProvider? services)
    {
        var parts = new ProgramParts();
        foreach (var add in _parts.Values)
        {
            add(services, parts);
        }

        return parts;
    }

    private RouterBuilder Add<T>(string name, Func<IServiceProvider, Func<T>> make)
    {
        _parts.Add(
            (typeof(T), name),
            (services, parts) => parts.Add(name, services is null ? static () => default! : make(services)));
        return this;
    }
}

using Router.Sessions;

namespace Router.Routes;

/// <summary>Runs the user's own handler, one instance per session.</summary>
internal sealed class HandlerRoute : Route
{
    private readonly Func<SessionHandler> _create;
    private readonly ScopedHandlers? _scoped;

    /// <param name="name">As configured.</param>
    /// <param name="create">Makes a handler; called on the session's dispatcher, so from several threads at once. A
    /// handler that is disposable is disposed with its session, or when it is replaced after a failure.</param>
    public HandlerRoute(string name, Func<SessionHandler> create)
        : base(name)
    {
        _create = create;
        _scoped = create.Target as ScopedHandlers;   // who makes them so says more than its delegate can
    }

    /// <summary>Whether its handlers are of a type; may make one to see.</summary>
    internal bool Makes<T>()
        where T : SessionHandler =>
        _scoped is { } scoped ? scoped.HandlerType.IsAssignableTo(typeof(T)) : _create() is T;

    internal override SessionHandler CreateHandler(SessionContext session)
    {
        if (_scoped is { } scoped)
        {
            return scoped.Create(session);
        }

        var handler = _create();
        if (handler is IAsyncDisposable or IDisposable)
        {
            session.Own(handler);
        }

        return handler;
    }
}

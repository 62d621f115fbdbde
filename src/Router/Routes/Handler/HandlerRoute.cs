using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Runs the user's own handler, one instance per session.</summary>
/// <param name="name">As configured.</param>
/// <param name="create">Makes a handler; called on the session's dispatcher, so from several threads at once. A handler
/// that is disposable is disposed with its session, or when it is replaced after a failure.</param>
internal sealed class HandlerRoute(string name, Func<SessionHandler> create) : Route(name)
{
    /// <summary>Whether its handlers are of a type; may make one to see.</summary>
    internal bool Makes<T>()
        where T : SessionHandler =>
        create.Target is ServiceFactory factory ? factory.Type.IsAssignableTo(typeof(T)) : create() is T;

    internal override SessionHandler CreateHandler(SessionContext session)
    {
        IAsyncDisposable? owner = null;
        try
        {
            var handler = ServiceFactory.Make(create, out owner);
            if (owner is not null)
            {
                session.Own(owner);
            }

            return handler;
        }
        catch when (owner is not null)
        {
            session.Own(owner);
            session.DisposeOwned();
            throw;
        }
    }
}

using Router.Sessions;

namespace Router.Routes;

/// <summary>Runs the user's own handler, one instance per session.</summary>
/// <param name="name">As configured.</param>
/// <param name="create">Makes a handler; called on the session's dispatcher, so from several threads at once.</param>
public sealed class HandlerRoute(string name, Func<SessionHandler> create) : Route(name)
{
    internal SessionHandler Create() => create();

    internal override SessionHandler CreateHandler(SessionContext session) => create();
}

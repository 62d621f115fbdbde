using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A route of a type that the program has added: its keys are read by the program, which says what makes its
/// handlers.</summary>
/// <param name="route">The entry.</param>
/// <param name="read">Declares and reads the keys.</param>
internal sealed class ProgramRouteOptions(SectionReader route, Func<SectionReader, Func<SessionHandler>> read)
    : RouteOptions(route)
{
    private readonly Func<SessionHandler> _create = read(route);

    public override bool MayServeFlows => true;

    public override bool MayRunOnPool => true;

    public override Route Build(RouteEnvironment environment) => new HandlerRoute(Name, _create);
}

using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Every payload goes back to its peer.</summary>
internal sealed class EchoRouteOptions(SectionReader route) : RouteOptions(route)
{
    public override bool AnswersAnybody => true;

    public override Route Build(RouteEnvironment environment) => new EchoRoute(Name);
}

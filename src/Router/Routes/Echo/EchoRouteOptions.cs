using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

internal sealed class EchoRouteOptions(SectionReader route) : RouteOptions(route)
{
    public override bool AnswersAnybody => true;

    public override Route Build(RouteEnvironment environment) => new EchoRoute(Name);
}

using Router.Configuration;
using Router.Routes;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>Routes to actors of the program.</summary>
internal sealed partial class RouterPlanner
{
    private Route? MakeActor(ActorRouteOptions route)
    {
        Func<IActorRef>? find = null;
        if (route.Key is { } key && !parts.Actors.TryGetValue(key, out find))
        {
            return Refuse(
                route, $"names actor '{key}', which the program did not add; added: {Listed(parts.Actors.Keys)}");
        }

        return new ActorRoute(route.Name, new ActorRouteSettings(
            route.Path,
            find,
            route.MaxUnanswered,
            route.MaxUnansweredBytes,
            route.AnswerTimeout == Timeout.InfiniteTimeSpan ? null : route.AnswerTimeout,
            route.ReplyBuffer));
    }
}

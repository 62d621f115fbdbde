using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

internal sealed class ActorRouteOptions(SectionReader route) : RouteOptions(route)
{
    private readonly string? _path = route.OptionalText("path", Reload.NewSessions);
    private readonly string? _key = route.OptionalText("key", Reload.NewSessions);
    private readonly ActorRouteSettings _settings = new(
        MaxUnanswered: route.Int("max-unanswered", 1, 100_000, Reload.NewSessions),
        MaxUnansweredBytes: route.Size("max-unanswered-bytes", 64 << 10, 64 << 20, Reload.NewSessions),
        AnswerTimeout: route.Duration("answer-timeout", Limit.Tick, Limit.Day, Reload.NewSessions, orInfinite: true),
        ReplyBuffer: route.Size("reply-buffer", 64 << 10, 64 << 20, Reload.NewSessions));

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (_path is null == _key is null)
        {
            yield return Section.FaultAt(_path is null ? "path" : "key",
                "an actor route needs path = \"/user/NAME\" or the key given to AddActor, one of the two");
        }
        else if (_path is not null && !LeadsToOne(_path))
        {
            yield return Section.FaultAt("path",
                $"'{_path}' is no actor's path: /user/NAME, or akka://SYSTEM/user/NAME, without wildcards");
        }
    }

    public override Route? Build(RouteEnvironment environment)
    {
        if (_path is not null)
        {
            return new ActorRoute(Name, _path, _settings);
        }

        return environment.Find<IActorRef>(this, "actor", _key, className: null) is { } find
            ? new ActorRoute(Name, find, _settings)
            : null;
    }

    private static bool LeadsToOne(string path) =>
        (path.StartsWith("/user/", StringComparison.Ordinal)
            || (path.StartsWith("akka", StringComparison.Ordinal)
                && path.Contains("://", StringComparison.Ordinal)
                && path.Contains("/user/", StringComparison.Ordinal)))
        && !path.EndsWith('/')
        && !path.AsSpan().ContainsAny("*? ");
}

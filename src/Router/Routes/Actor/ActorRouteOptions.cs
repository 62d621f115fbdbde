using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Payloads go to an actor of the program. One of the first two is set.</summary>
internal sealed class ActorRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>In the router's actor system: <c>/user/backend</c>.</summary>
    public string? Path { get; } = route.OptionalText("path", Reload.NewSessions);

    /// <summary>As given to <c>AddActor</c>.</summary>
    public string? Key { get; } = route.OptionalText("key", Reload.NewSessions);

    /// <summary>Payloads of a session that the actor has not answered.</summary>
    public int MaxUnanswered { get; } = route.Int("max-unanswered", 1, 100_000, Reload.NewSessions);

    /// <summary>The same in bytes.</summary>
    public int MaxUnansweredBytes { get; } =
        route.Size("max-unanswered-bytes", 64 << 10, 64 << 20, Reload.NewSessions);

    /// <summary>How long these may be full; <see cref="Timeout.InfiniteTimeSpan"/> for any time.</summary>
    public TimeSpan AnswerTimeout { get; } =
        route.Duration("answer-timeout", Limit.Tick, Limit.Day, Reload.NewSessions, orInfinite: true);

    /// <summary>Bytes of replies that wait for a peer that does not read.</summary>
    public int ReplyBuffer { get; } = route.Size("reply-buffer", 64 << 10, 64 << 20, Reload.NewSessions);

    public override Route? Build(RouteEnvironment environment)
    {
        var find = Key is null ? null : environment.Find<IActorRef>(this, "actor", Key, className: null);
        return Path is null && find is null
            ? null
            : new ActorRoute(Name, new ActorRouteSettings(
                Path,
                find,
                MaxUnanswered,
                MaxUnansweredBytes,
                AnswerTimeout == Timeout.InfiniteTimeSpan ? null : AnswerTimeout,
                ReplyBuffer));
    }
}

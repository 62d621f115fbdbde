using Router.Sessions;

namespace Router.Routes;

/// <summary>What an actor route goes by, as configured. Immutable. One of the first two is null.</summary>
/// <param name="Path">Of the actor, in the router's actor system.</param>
/// <param name="Find">Gives the actor, or Nobody; any loop's thread.</param>
/// <param name="MaxUnanswered">Payloads of one session that the actor has been told and has not answered. At least
/// 1.</param>
/// <param name="MaxUnansweredBytes">The same in bytes; one payload is always told.</param>
/// <param name="AnswerTimeout">How long a session's limits may be full without an answer.</param>
/// <param name="ReplyBuffer">Bytes of replies that wait for a connection whose peer does not read, besides what the
/// listener's write buffer holds.</param>
internal sealed record ActorRouteSettings(
    string? Path,
    Func<IActorRef>? Find,
    int MaxUnanswered = 64,
    int MaxUnansweredBytes = 256 * 1024,
    TimeSpan? AnswerTimeout = null,
    int ReplyBuffer = 256 * 1024);

/// <summary>Hands payloads to an actor of the program, and what it tells the session to the peer.</summary>
/// <remarks>The actor that was found is kept until a session of the route learns that it has stopped: the next one
/// looks again.</remarks>
internal sealed class ActorRoute : Route
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private IActorRef? _known;

    /// <summary>A route to the actor at a path of the router's actor system, <c>/user/backend</c>; limits as
    /// reference.conf has them.</summary>
    public ActorRoute(string name, string path)
        : this(name, new ActorRouteSettings(path, Find: null, AnswerTimeout: AnswerTimeout))
    {
    }

    /// <summary>A route to the actor that a function gives, or Nobody; asked on a loop's thread, when none is known.
    /// </summary>
    public ActorRoute(string name, Func<IActorRef> find)
        : this(name, new ActorRouteSettings(Path: null, find, AnswerTimeout: AnswerTimeout))
    {
    }

    internal ActorRoute(string name, ActorRouteSettings settings)
        : base(name) =>
        Settings = settings;

    internal ActorRouteSettings Settings { get; }

    /// <summary>The actor, if it was found before and is not known to be gone.</summary>
    internal IActorRef? Known => Volatile.Read(ref _known);

    internal void Remember(IActorRef actor) => Volatile.Write(ref _known, actor);

    internal void Forget(IActorRef actor)
    {
        if (Known is { } known && known.Equals(actor))
        {
            Interlocked.CompareExchange(ref _known, null, known);
        }
    }

    internal override SessionHandler CreateHandler(SessionContext session) => new ActorHandler(this);
}

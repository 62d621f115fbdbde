using Router.Sessions;

namespace Router.Routes;

/// <summary>What an actor route goes by, as configured. Immutable.</summary>
/// <param name="MaxUnanswered">Payloads of one session that the actor has been told and has not answered. At least
/// 1.</param>
/// <param name="MaxUnansweredBytes">The same in bytes; one payload is always told.</param>
/// <param name="AnswerTimeout">How long a session's limits may be full without an answer; infinite for any
/// time.</param>
/// <param name="ReplyBuffer">Bytes of replies that wait for a connection whose peer does not read, besides what the
/// listener's write buffer holds.</param>
internal sealed record ActorRouteSettings(
    int MaxUnanswered, int MaxUnansweredBytes, TimeSpan AnswerTimeout, int ReplyBuffer)
{
    /// <summary>As reference.conf has them.</summary>
    public static ActorRouteSettings Default { get; } = new(64, 256 * 1024, TimeSpan.FromSeconds(30), 256 * 1024);
}

/// <summary>Hands payloads to an actor of the program, and what it tells the session to the peer.</summary>
/// <remarks>The actor that was found is kept until a session of the route learns that it has stopped: the next one
/// looks again.</remarks>
internal sealed class ActorRoute : Route
{
    private IActorRef? _known;

    /// <param name="name">As configured.</param>
    /// <param name="path">Of the actor, in the router's actor system: <c>/user/backend</c>.</param>
    /// <param name="settings">Its limits; null for the defaults.</param>
    public ActorRoute(string name, string path, ActorRouteSettings? settings = null)
        : base(name) =>
        (Path, Settings) = (path, settings ?? ActorRouteSettings.Default);

    /// <param name="name">As configured.</param>
    /// <param name="find">Gives the actor, or Nobody; asked on a loop's thread, when none is known.</param>
    /// <param name="settings">Its limits; null for the defaults.</param>
    public ActorRoute(string name, Func<IActorRef> find, ActorRouteSettings? settings = null)
        : base(name) =>
        (Find, Settings) = (find, settings ?? ActorRouteSettings.Default);

    /// <summary>Null where <see cref="Find"/> gives the actor.</summary>
    public string? Path { get; }

    public Func<IActorRef>? Find { get; }

    public ActorRouteSettings Settings { get; }

    /// <summary>The actor, if it was found before and is not known to be gone.</summary>
    public IActorRef? Known => Volatile.Read(ref _known);

    public void Remember(IActorRef actor) => Volatile.Write(ref _known, actor);

    public void Forget(IActorRef actor)
    {
        if (Known is { } known && known.Equals(actor))
        {
            Interlocked.CompareExchange(ref _known, null, known);
        }
    }

    internal override SessionHandler CreateHandler(SessionContext session) => new ActorHandler(this);
}

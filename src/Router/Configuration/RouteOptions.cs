using System.Net;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>One entry of <c>router.routes</c>; the subclass is its type.</summary>
internal abstract record RouteOptions
{
    public required string Name { get; init; }

    /// <summary>Where the route's name stands.</summary>
    public required HoconOrigin Origin { get; init; }

    /// <summary>The entry as read, defaults included, for the places of its keys.</summary>
    public required HoconObject Source { get; init; }
}

/// <summary>Every payload goes back to its peer.</summary>
internal sealed record EchoRouteOptions : RouteOptions;

/// <summary>Every payload is answered with the same bytes, or by one template.</summary>
internal sealed record ReplyRouteOptions : RouteOptions
{
    /// <summary>The key <c>text</c>, or null.</summary>
    public required string? Text { get; init; }

    /// <summary>The answer, part by part: of the text, or the key <c>bytes</c> as one; none for an empty
    /// answer.</summary>
    public required IReadOnlyList<ReplyPart> Parts { get; init; }

    /// <summary>The most bytes an answer can have; at most 65,507.</summary>
    public int BytesMax => Parts.Sum(static part => part.BytesMax);
}

/// <summary>Payloads go to one of the upstreams, its answers to the peer.</summary>
internal sealed record ProxyRouteOptions : RouteOptions
{
    public required IReadOnlyList<UpstreamOptions> Upstreams { get; init; }

    public required PickPolicy Pick { get; init; }

    /// <summary>Answers after which a UDP session ends; 0 is unlimited.</summary>
    public required int Responses { get; init; }

    public required TimeSpan ConnectTimeout { get; init; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public required TimeSpan UpstreamIdleTimeout { get; init; }

    /// <summary>Upstreams tried for one session, the first included.</summary>
    public required int NextUpstreamTries { get; init; }

    /// <summary>Which replies of a UDP upstream are accepted.</summary>
    public required UpstreamReplies UpstreamReplies { get; init; }

    /// <summary>Between two resolutions of an upstream's name.</summary>
    public required TimeSpan ResolveInterval { get; init; }

    /// <summary>What becomes of a session whose upstream is one no more.</summary>
    public required UpstreamRemoval OnUpstreamRemoved { get; init; }
}

internal enum UpstreamRemoval
{
    /// <summary>It stays there until it ends.</summary>
    Finish,

    /// <summary>It ends.</summary>
    Close,

    /// <summary>UDP: it goes on with another upstream. TCP: as finish.</summary>
    RePick,
}

/// <param name="Host">A name, a numeric address without brackets, or of a unix socket its path or abstract
/// name.</param>
/// <param name="Port">1 to 65535; 0 for a unix socket.</param>
/// <param name="Address">The host when it is numeric, IPv4-mapped ones as IPv4; else null.</param>
/// <param name="Origin">Where it is written.</param>
internal sealed record UpstreamOptions(string Host, int Port, IPAddress? Address, HoconOrigin Origin)
{
    /// <summary>What kind of unix socket; null for IP.</summary>
    public Transport? Unix { get; init; }

    /// <summary>As in the file.</summary>
    public override string ToString() =>
        Unix is { } unix ? $"{UnixEndpoints.SchemeOf(unix)}://{Host}"
        : Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

internal enum UpstreamReplies
{
    /// <summary>From the endpoint that was sent to.</summary>
    Strict,

    /// <summary>From any port of its address, which is sent to from then on.</summary>
    Follow,
}

internal enum PickPolicy
{
    RoundRobin,
    LeastSessions,

    /// <summary>Consistent hash of the peer's address.</summary>
    Hash,
}

/// <summary>Payloads go to a handler of the user's. One of the two names is set.</summary>
internal sealed record HandlerRouteOptions : RouteOptions
{
    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public required string? Class { get; init; }

    /// <summary>As given to <c>AddHandler</c>.</summary>
    public required string? HandlerName { get; init; }
}

/// <summary>Payloads go to an actor of the program. One of the first two is set.</summary>
internal sealed record ActorRouteOptions : RouteOptions
{
    /// <summary>In the router's actor system: <c>/user/backend</c>.</summary>
    public required string? Path { get; init; }

    /// <summary>As given to <c>AddActor</c>.</summary>
    public required string? Key { get; init; }

    /// <summary>Payloads of a session that the actor has not answered.</summary>
    public required int MaxUnanswered { get; init; }

    /// <summary>The same in bytes.</summary>
    public required int MaxUnansweredBytes { get; init; }

    /// <summary>How long these may be full; <see cref="Timeout.InfiniteTimeSpan"/> for any time.</summary>
    public required TimeSpan AnswerTimeout { get; init; }

    /// <summary>Bytes of replies that wait for a peer that does not read.</summary>
    public required int ReplyBuffer { get; init; }
}

/// <summary>A child process for every session.</summary>
internal sealed record ExecRouteOptions : RouteOptions
{
    /// <summary>The program, absolute, and its arguments.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    public required string Directory { get; init; }

    /// <summary><c>NAME=value</c>, or <c>NAME</c> for one that the router has itself.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    public required int MaxProcesses { get; init; }

    public required TimeSpan Grace { get; init; }

    public required RestartChoice Restart { get; init; }

    /// <summary>Lines a second and child.</summary>
    public required int StderrLines { get; init; }

    public required ExecLimitOptions Limits { get; init; }

    public required ProofChoice Validate { get; init; }

    /// <summary>Null for none.</summary>
    public required string? Token { get; init; }

    public required IReadOnlyList<IPNetwork> AllowUnvalidated { get; init; }

    public required TimeSpan ValidateTimeout { get; init; }
}

/// <param name="CpuTime"><see cref="Timeout.InfiniteTimeSpan"/> for none; the next two have 0 for none.</param>
/// <param name="Memory">Bytes of address space.</param>
/// <param name="FileSize">Bytes of the largest file.</param>
/// <param name="OpenFiles">Descriptors.</param>
internal sealed record ExecLimitOptions(TimeSpan CpuTime, long Memory, long FileSize, int OpenFiles);

internal enum RestartChoice
{
    Never,
    OnFailure,
    Always,
}

internal enum ProofChoice
{
    RoundTrip,
    Token,
    None,
}

/// <summary>TCP sessions control UDP sessions, their flows; another route says what is done with both.</summary>
internal sealed record FlowRouteOptions : RouteOptions
{
    /// <summary>The name of a route of type proxy or handler.</summary>
    public required string Route { get; init; }

    public required FlowJoinChoice Join { get; init; }

    /// <summary>Whether the token stays in a flow's first datagram.</summary>
    public required bool KeepToken { get; init; }

    /// <summary>Flows of one control session at once.</summary>
    public required int MaxFlows { get; init; }

    /// <summary>How long a flow may take to join.</summary>
    public required TimeSpan JoinTimeout { get; init; }

    /// <summary>Whether a control session ends when its last flow has.</summary>
    public required bool EndWithLastFlow { get; init; }
}

internal enum FlowJoinChoice
{
    /// <summary>By coming from the control session's address.</summary>
    Address,

    /// <summary>By a token in the first datagram.</summary>
    Token,
}

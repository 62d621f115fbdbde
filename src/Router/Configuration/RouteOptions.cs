using System.Net;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>One entry of <c>router.routes</c>; the subclass is its type and declares its keys.</summary>
internal abstract class RouteOptions(SectionReader section)
{
    /// <summary>The entry as read, defaults included.</summary>
    public SectionReader Section => section;

    public string Name => section.Name;
}

/// <summary>Every payload goes back to its peer.</summary>
internal sealed class EchoRouteOptions(SectionReader route) : RouteOptions(route);

/// <summary>Every payload is answered with the same bytes, or by one template.</summary>
internal sealed class ReplyRouteOptions : RouteOptions
{
    public ReplyRouteOptions(SectionReader route)
        : base(route)
    {
        IReadOnlyList<ReplyPart> parts = [];
        Text = route.OptionalText("text", Reload.NewSessions);
        if (Text is not null && !ReplyText.TryParse(Text, out parts, out var fault))
        {
            route.Fault("text", fault!);
        }

        if (route.OptionalText("bytes", Reload.NewSessions) is { } hex)
        {
            try
            {
                var bytes = Convert.FromHexString(string.Concat(hex.Where(c => c != ' ')));
                parts = [new ReplyPart(ReplyField.None, bytes)];
            }
            catch (FormatException)
            {
                route.Fault("bytes", "an even number of hexadecimal digits is wanted, blanks between them at will");
            }
        }

        Parts = parts;
    }

    /// <summary>The key <c>text</c>, or null.</summary>
    public string? Text { get; }

    /// <summary>The answer, part by part: of the text, or the key <c>bytes</c> as one; none for an empty
    /// answer.</summary>
    public IReadOnlyList<ReplyPart> Parts { get; }

    /// <summary>The most bytes an answer can have; at most 65,507.</summary>
    public int BytesMax => Parts.Sum(static part => part.BytesMax);
}

/// <summary>Payloads go to one of the upstreams, its answers to the peer.</summary>
internal sealed class ProxyRouteOptions(SectionReader route) : RouteOptions(route)
{
    public IReadOnlyList<UpstreamOptions> Upstreams { get; } =
        route.List<UpstreamOptions>("upstreams", Reload.AtOnce, UpstreamOptions.Parse, optional: true);

    public PickPolicy Pick { get; } = route.Choice<PickPolicy>("pick", Reload.AtOnce);

    /// <summary>Answers after which a UDP session ends; 0 is unlimited.</summary>
    public int Responses { get; } = route.Int("responses", 0, 1_000_000, Reload.AtOnce);

    public TimeSpan ConnectTimeout { get; } =
        route.Duration("connect-timeout", Limit.Tick, TimeSpan.FromMinutes(10), Reload.AtOnce);

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public TimeSpan UpstreamIdleTimeout { get; } =
        route.Duration("upstream-idle-timeout", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true);

    /// <summary>Upstreams tried for one session, the first included.</summary>
    public int NextUpstreamTries { get; } = route.Int("next-upstream-tries", 1, 100, Reload.AtOnce);

    /// <summary>Which replies of a UDP upstream are accepted.</summary>
    public UpstreamReplies UpstreamReplies { get; } =
        route.Choice<UpstreamReplies>("upstream-replies", Reload.NewSessions);

    /// <summary>Between two resolutions of an upstream's name.</summary>
    public TimeSpan ResolveInterval { get; } =
        route.Duration("resolve-interval", Limit.Second, Limit.Day, Reload.AtOnce);

    /// <summary>What becomes of a session whose upstream is one no more.</summary>
    public UpstreamRemoval OnUpstreamRemoved { get; } =
        route.Choice<UpstreamRemoval>("on-upstream-removed", Reload.AtOnce);
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

    /// <inheritdoc cref="ParseElement{T}"/>
    public static string? Parse(string text, HoconOrigin origin, out UpstreamOptions? upstream)
    {
        string? fault;
        bool isRead;
        if (UnixEndpoints.IsUnix(text))
        {
            isRead = UnixEndpoints.TryParse(text, out var kind, out var socket, out fault);
            upstream = new UpstreamOptions(socket, 0, null, origin) { Unix = kind };
        }
        else
        {
            isRead = Endpoints.TryParseUpstream(text, out var host, out var port, out var address, out fault);
            upstream = new UpstreamOptions(host, port, address, origin);
        }

        return isRead ? null : fault;
    }

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
internal sealed class HandlerRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; } = route.OptionalText("class", Reload.NewSessions);

    /// <summary>As given to <c>AddHandler</c>.</summary>
    public string? HandlerName { get; } = route.OptionalText("name", Reload.NewSessions);
}

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
}

/// <summary>A child process for every session.</summary>
internal sealed class ExecRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>The program, absolute, and its arguments.</summary>
    public IReadOnlyList<string> Command { get; } = route.Words("command", Reload.NewSessions, optional: true);

    public string Directory { get; } = route.Text("directory", Reload.NewSessions);

    /// <summary><c>NAME=value</c>, or <c>NAME</c> for one that the router has itself.</summary>
    public IReadOnlyList<string> Environment { get; } = route.Words("environment", Reload.NewSessions);

    public int MaxProcesses { get; } = route.Int("max-processes", 1, 100_000, Reload.NewSessions);

    public TimeSpan Grace { get; } =
        route.Duration("grace", TimeSpan.Zero, TimeSpan.FromMinutes(10), Reload.NewSessions);

    public RestartChoice Restart { get; } = route.Choice<RestartChoice>("restart", Reload.NewSessions);

    /// <summary>Lines a second and child.</summary>
    public int StderrLines { get; } = route.Int("stderr-lines", 0, 10_000, Reload.NewSessions);

    public ExecLimitOptions Limits { get; } = ExecLimitOptions.Read(route.Child("limits"));

    /// <summary>What a UDP peer must prove before a child is started for it.</summary>
    public ProofOptions Proof { get; } = new(route);
}

/// <summary>How a route's UDP peers prove themselves: keys that several types of routes have.</summary>
internal sealed class ProofOptions(SectionReader route)
{
    public ProofChoice Validate { get; } = route.Choice<ProofChoice>("validate", Reload.NewSessions);

    /// <summary>Null for none.</summary>
    public string? Token { get; } = route.OptionalText("token", Reload.NewSessions);

    public IReadOnlyList<IPNetwork> AllowUnvalidated { get; } =
        route.List<IPNetwork>("allow-unvalidated", Reload.NewSessions, ParseNetwork);

    public TimeSpan ValidateTimeout { get; } =
        route.Duration("validate-timeout", Limit.Tick, Limit.Day, Reload.NewSessions);

    private static string? ParseNetwork(string text, HoconOrigin origin, out IPNetwork network) =>
        IPNetwork.TryParse(text, out network) && !network.BaseAddress.IsIPv4MappedToIPv6
            ? null
            : $"'{text}' is not a network; write its first address and its length, as 10.0.0.0/8 or fd00::/8";
}

/// <param name="CpuTime"><see cref="Timeout.InfiniteTimeSpan"/> for none; the next two have 0 for none.</param>
/// <param name="Memory">Bytes of address space.</param>
/// <param name="FileSize">Bytes of the largest file.</param>
/// <param name="OpenFiles">Descriptors.</param>
internal sealed record ExecLimitOptions(TimeSpan CpuTime, long Memory, long FileSize, int OpenFiles)
{
    private const long SizeMax = 1L << 40;

    public static ExecLimitOptions Read(SectionReader limits) => new(
        limits.Duration("cpu-time", Limit.Second, Limit.Year, Reload.NewSessions, orInfinite: true),
        limits.LongSize("memory", 0, SizeMax, Reload.NewSessions),
        limits.LongSize("file-size", 0, SizeMax, Reload.NewSessions),
        limits.Int("open-files", 3, 1_048_576, Reload.NewSessions));
}

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
internal sealed class FlowRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>The name of a route of type proxy or handler.</summary>
    public string Route { get; } = route.Text("route", Reload.NewSessions);

    public FlowJoinChoice Join { get; } = route.Choice<FlowJoinChoice>("join", Reload.NewSessions);

    /// <summary>Whether the token stays in a flow's first datagram.</summary>
    public bool KeepToken { get; } = route.Bool("keep-token", Reload.NewSessions);

    /// <summary>Flows of one control session at once.</summary>
    public int MaxFlows { get; } = route.Int("max-flows", 1, 1_024, Reload.NewSessions);

    /// <summary>How long a flow may take to join.</summary>
    public TimeSpan JoinTimeout { get; } =
        route.Duration("join-timeout", Limit.Tick, Limit.Day, Reload.NewSessions);

    /// <summary>Whether a control session ends when its last flow has.</summary>
    public bool EndWithLastFlow { get; } = route.Bool("end-with-last-flow", Reload.NewSessions);
}

internal enum FlowJoinChoice
{
    /// <summary>By coming from the control session's address.</summary>
    Address,

    /// <summary>By a token in the first datagram.</summary>
    Token,
}

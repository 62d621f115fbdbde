using Router.Configuration;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>Payloads are gathered in windows, and these go to a sink.</summary>
internal sealed class CollectRouteOptions : RouteOptions
{
    /// <summary>Between two resolutions of the upstream's name.</summary>
    private static readonly TimeSpan ResolveInterval = TimeSpan.FromSeconds(30);

    public CollectRouteOptions(SectionReader route)
        : base(route)
    {
        Per = route.Choice<CollectScope>("per", Reload.NewSessions);
        WindowMs = route.Milliseconds("window", Limit.Tick, Limit.Day, Reload.NewSessions, orInfinite: true);
        EveryMs = route.Milliseconds(
            "every", TimeSpan.Zero, Limit.Day, Reload.NewSessions, orElse: TimeSpan.Zero);
        Count = route.Int("count", 0, 1_000_000, Reload.NewSessions);
        Bytes = route.Size("bytes", 64 << 10, 64 << 20, Reload.NewSessions);
        Buffer = route.Size("buffer", 256 << 10, 1 << 30, Reload.NewSessions);
        To = route.Choice("to", Reload.NewSessions, ("file", CollectTo.File), ("upstream", CollectTo.Upstream),
            ("log", CollectTo.Log), ("handler", CollectTo.Handler));
        var file = route.Child("file");
        File = new CollectFileOptions(
            file.OptionalText("path", Reload.NewSessions),
            file.Size("rotate-size", 0, 1 << 30, Reload.NewSessions),
            file.Duration("rotate-interval", Limit.Second, Limit.Year, Reload.NewSessions, orInfinite: true),
            file.Int("keep", 0, 1_000, Reload.NewSessions),
            file.Bool("fsync", Reload.NewSessions));
        Upstream = ReadUpstream(route, out var transport);
        UpstreamTransport = transport;
        Class = route.OptionalText("class", Reload.NewSessions);
        HandlerName = route.OptionalText("name", Reload.NewSessions);
    }

    /// <summary>Whose payloads one window gathers.</summary>
    public CollectScope Per { get; }

    /// <summary>0 for no end by time.</summary>
    public int WindowMs { get; }

    /// <summary>Between two deliveries of a sliding window; 0 for tumbling ones.</summary>
    public int EveryMs { get; }

    /// <summary>0 for no limit.</summary>
    public int Count { get; }

    /// <summary>Of payload, in one window.</summary>
    public int Bytes { get; }

    /// <summary>Bytes of memory that all windows of the route may take.</summary>
    public int Buffer { get; }

    public CollectTo To { get; }

    public CollectFileOptions File { get; }

    /// <summary>Null unless it could be read.</summary>
    public UpstreamOptions? Upstream { get; }

    /// <summary>Of the upstream.</summary>
    public SessionTransport UpstreamTransport { get; }

    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; }

    /// <summary>As given to <c>AddWindowHandler</c>.</summary>
    public string? HandlerName { get; }

    public override Route? Build(RouteEnvironment environment)
    {
        if (To == CollectTo.Upstream)
        {
            var group = new UpstreamGroup(
                new UpstreamGroupSettings(
                    Name, [Upstream!.Target], ResolveInterval, ProxyRouteOptions.ResolveTimeout, TimeSpan.Zero),
                environment.Time);
            environment.Groups[Name] = group;
            var isStream = UpstreamTransport == SessionTransport.Tcp;
            return RouteTo(around => new UpstreamSink(group, isStream, around.Loop, around.Time));
        }

        if (To == CollectTo.Handler)
        {
            return environment.Find<WindowHandler>(this, "window handler", HandlerName, Class) is { } create
                ? RouteTo(_ => new HandlerSink(HandlerName ?? Class!, create))
                : null;
        }

        return To == CollectTo.Log
            ? RouteTo(static around => new LogSink(around.Events))
            : RouteTo(around => new FileSink(File.Settings, around.Files, around.Time));
    }

    private CollectRoute RouteTo(Func<CollectEnvironment, IWindowSink> makeSink) =>
        new(Name, new CollectSettings(Per, WindowMs, EveryMs, Count, Bytes, Buffer), makeSink);

    private static UpstreamOptions? ReadUpstream(SectionReader route, out SessionTransport transport)
    {
        transport = SessionTransport.Udp;
        if (route.OptionalText("upstream", Reload.NewSessions) is not { } text)
        {
            return null;
        }

        var isStream = text.StartsWith("tcp://", StringComparison.Ordinal);
        transport = isStream ? SessionTransport.Tcp : SessionTransport.Udp;
        if (!isStream && !text.StartsWith("udp://", StringComparison.Ordinal))
        {
            route.Fault("upstream", $"'{text}' must begin with tcp:// or udp://");
            return null;
        }

        if (Endpoints.ParseUpstream(text["tcp://".Length..], out var host, out var port, out var address) is { } fault)
        {
            route.Fault("upstream", fault);
            return null;
        }

        return new UpstreamOptions(host, port, address, route.OriginOf("upstream"));
    }
}

internal enum CollectTo
{
    /// <summary>Not read.</summary>
    None,
    File,
    Upstream,
    Log,
    Handler,
}

/// <param name="Path">Null when not set.</param>
/// <param name="RotateSize">Bytes; 0 for never.</param>
/// <param name="RotateInterval"><see cref="Timeout.InfiniteTimeSpan"/> for never.</param>
/// <param name="Keep">Rotated files.</param>
/// <param name="Fsync">Whether what is written is forced to the disk.</param>
internal sealed record CollectFileOptions(
    string? Path, int RotateSize, TimeSpan RotateInterval, int Keep, bool Fsync)
{
    public FileSinkSettings Settings => new(
        System.IO.Path.GetFullPath(Path!),
        RotateSize,
        RotateInterval == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : RotateInterval,
        Keep,
        Fsync);
}

namespace Router.Configuration;

/// <summary>Payloads are gathered in windows, and these go to a sink.</summary>
internal sealed class CollectRouteOptions : RouteOptions
{
    public CollectRouteOptions(SectionReader route)
        : base(route)
    {
        Per = route.Choice<CollectPer>("per", Reload.NewSessions);
        Window = route.Duration("window", Limit.Tick, Limit.Day, Reload.NewSessions, orInfinite: true);
        Every = route.Duration(
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
    public CollectPer Per { get; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for no end by time.</summary>
    public TimeSpan Window { get; }

    /// <summary>Between two deliveries of a sliding window; zero for tumbling ones.</summary>
    public TimeSpan Every { get; }

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
    public Transport UpstreamTransport { get; }

    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; }

    /// <summary>As given to <c>AddWindowHandler</c>.</summary>
    public string? HandlerName { get; }

    private static UpstreamOptions? ReadUpstream(SectionReader route, out Transport transport)
    {
        transport = Transport.Udp;
        if (route.OptionalText("upstream", Reload.NewSessions) is not { } text)
        {
            return null;
        }

        var isStream = text.StartsWith("tcp://", StringComparison.Ordinal);
        transport = isStream ? Transport.Tcp : Transport.Udp;
        if (!isStream && !text.StartsWith("udp://", StringComparison.Ordinal))
        {
            route.Fault("upstream", $"'{text}' must begin with tcp:// or udp://");
            return null;
        }

        if (!Endpoints.TryParseUpstream(
            text["tcp://".Length..], out var host, out var port, out var address, out var reason))
        {
            route.Fault("upstream", reason!);
            return null;
        }

        return new UpstreamOptions(host, port, address, route.OriginOf("upstream"));
    }
}

internal enum CollectPer
{
    Session,
    Listener,
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
    string? Path, int RotateSize, TimeSpan RotateInterval, int Keep, bool Fsync);

namespace Router.Configuration;

/// <summary>Payloads are gathered in windows, and these go to a sink.</summary>
internal sealed record CollectRouteOptions : RouteOptions
{
    /// <summary>Whose payloads one window gathers.</summary>
    public required CollectPer Per { get; init; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for no end by time.</summary>
    public required TimeSpan Window { get; init; }

    /// <summary>Between two deliveries of a sliding window; zero for tumbling ones.</summary>
    public required TimeSpan Every { get; init; }

    /// <summary>0 for no limit.</summary>
    public required int Count { get; init; }

    /// <summary>Of payload, in one window.</summary>
    public required int Bytes { get; init; }

    /// <summary>Bytes of memory that all windows of the route may take.</summary>
    public required int Buffer { get; init; }

    public required CollectTo To { get; init; }

    public required CollectFileOptions File { get; init; }

    /// <summary>Null unless it could be read.</summary>
    public required UpstreamOptions? Upstream { get; init; }

    /// <summary>Of the upstream.</summary>
    public required Transport UpstreamTransport { get; init; }

    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public required string? Class { get; init; }

    /// <summary>As given to <c>AddWindowHandler</c>.</summary>
    public required string? HandlerName { get; init; }
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

/// <summary>Reads the keys of a collect route.</summary>
internal static class CollectBinder
{
    public static CollectRouteOptions Bind(SectionReader route, RouteOptions head)
    {
        var file = route.Child("file");
        var upstream = BindUpstream(route, out var transport);
        return new CollectRouteOptions
        {
            Per = route.Choice("per", ("session", CollectPer.Session), ("listener", CollectPer.Listener)),
            Window = route.Duration("window", allowInfinite: true),
            Every = route.Has("every") ? route.Duration("every") : TimeSpan.Zero,
            Count = route.Int("count"),
            Bytes = route.Size("bytes"),
            Buffer = route.Size("buffer"),
            To = route.Choice("to", ("file", CollectTo.File), ("upstream", CollectTo.Upstream),
                ("log", CollectTo.Log), ("handler", CollectTo.Handler)),
            File = new CollectFileOptions(
                file.OptionalText("path"),
                file.Size("rotate-size"),
                file.Duration("rotate-interval", allowInfinite: true),
                file.Int("keep"),
                file.Bool("fsync")),
            Upstream = upstream,
            UpstreamTransport = transport,
            Class = route.OptionalText("class"),
            HandlerName = route.OptionalText("name"),
            Name = head.Name,
            Origin = head.Origin,
            Source = head.Source,
        };
    }

    private static UpstreamOptions? BindUpstream(SectionReader route, out Transport transport)
    {
        transport = Transport.Udp;
        if (route.OptionalText("upstream") is not { } text)
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

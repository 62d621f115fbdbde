using Router.Configuration;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

internal sealed class CollectRouteOptions : RouteOptions
{
    /// <summary>Between two resolutions of the upstream's name.</summary>
    private static readonly TimeSpan ResolveInterval = TimeSpan.FromSeconds(30);

    /// <summary>What <c>buffer</c> must hold at least: a window's memory grows by doubling, and has a header per
    /// payload.</summary>
    private const int BuffersPerWindow = 4;

    private readonly CollectSettings _settings;
    private readonly CollectTo _to;
    private readonly FileSinkSettings _file;
    private readonly UpstreamOptions? _upstream;   // null unless it could be read
    private readonly bool _isUpstreamStream;
    private readonly string? _class;
    private readonly string? _name;

    public CollectRouteOptions(SectionReader route)
        : base(route)
    {
        _settings = new CollectSettings(
            Per: route.Choice<CollectScope>("per", Reload.NewSessions),
            WindowMs: route.Milliseconds("window", Limit.Tick, Limit.Day, Reload.NewSessions, orInfinite: true),
            EveryMs: route.Milliseconds(
                "every", TimeSpan.Zero, Limit.Day, Reload.NewSessions, orElse: TimeSpan.Zero),
            Count: route.Int("count", 0, 1_000_000, Reload.NewSessions),
            Bytes: route.Size("bytes", 64 << 10, 64 << 20, Reload.NewSessions),
            Buffer: route.Size("buffer", 256 << 10, 1 << 30, Reload.NewSessions));
        _to = route.Choice("to", Reload.NewSessions, ("file", CollectTo.File), ("upstream", CollectTo.Upstream),
            ("log", CollectTo.Log), ("handler", CollectTo.Handler));
        var file = route.Child("file");
        _file = new FileSinkSettings(
            file.OptionalText("path", Reload.NewSessions) is { Length: > 0 } path ? Path.GetFullPath(path) : "",
            file.Size("rotate-size", 0, 1 << 30, Reload.NewSessions),
            file.Duration("rotate-interval", Limit.Second, Limit.Year, Reload.NewSessions, orInfinite: true),
            file.Int("keep", 0, 1_000, Reload.NewSessions),
            file.Bool("fsync", Reload.NewSessions));
        _upstream = ReadUpstream(route, out _isUpstreamStream);
        _class = route.OptionalText("class", Reload.NewSessions);
        _name = route.OptionalText("name", Reload.NewSessions);
    }

    private enum CollectTo
    {
        NotRead,
        File,
        Upstream,
        Log,
        Handler,
    }

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (_settings is { IsSliding: true, WindowMs: 0 })
        {
            yield return Section.FaultAt(
                "every", "a sliding window has a length: set window to the time it looks back");
        }

        if (_settings.Buffer / BuffersPerWindow < _settings.Bytes)
        {
            yield return Section.FaultAt("buffer",
                $"{_settings.Buffer} bytes do not hold a window of {_settings.Bytes}: "
                + $"set it to {BuffersPerWindow} times bytes at least");
        }

        if (_to == CollectTo.File && FileFault(context) is { } fault)
        {
            yield return Section.FaultAt("file.path", fault);
        }

        if (_to == CollectTo.Upstream && _upstream is null)
        {
            yield return Section.FaultAt(
                "upstream", "to = upstream needs upstream = \"tcp://HOST:PORT\" or \"udp://HOST:PORT\"");
        }

        if (_to == CollectTo.Handler && _class is null == _name is null)
        {
            yield return Section.FaultAt(_class is null ? "class" : "name",
                "to = handler needs class = \"Namespace.Type, Assembly\" or the name given to AddWindowHandler, "
                + "one of the two");
        }
    }

    public override Route? Build(RouteEnvironment environment)
    {
        switch (_to)
        {
            case CollectTo.Upstream:
                var target = new UpstreamGroupSettings(
                    Name, [_upstream!.Target], ResolveInterval, ProxyRouteOptions.ResolveTimeout, TimeSpan.Zero);
                var group = new UpstreamGroup(target, environment.Time);
                environment.Groups[Name] = group;
                return RouteTo(around => new UpstreamSink(group, _isUpstreamStream, around.Loop, around.Time));
            case CollectTo.Handler:
                return environment.Find<WindowHandler>(this, "window handler", _name, _class) is { } create
                    ? RouteTo(_ => new HandlerSink(_name ?? _class!, create))
                    : null;
            case CollectTo.Log:
                return RouteTo(static around => new LogSink(around.Events));
            default:
                return RouteTo(around => new FileSink(_file, around.Files, around.Time));
        }
    }

    private CollectRoute RouteTo(Func<CollectEnvironment, IWindowSink> makeSink) => new(Name, _settings, makeSink);

    /// <summary>Two routes that rotate one file would take it from under each other.</summary>
    private string? FileFault(RuleContext context)
    {
        if (_file.Path.Length == 0)
        {
            return "to = file needs the path of the file";
        }

        var first = context.Options.Routes.OfType<CollectRouteOptions>()
            .First(other => other._to == CollectTo.File && other._file.Path == _file.Path);
        return ReferenceEquals(first, this)
            ? null
            : $"route '{first.Name}' writes to the same file; give each its own";
    }

    private static UpstreamOptions? ReadUpstream(SectionReader route, out bool isStream)
    {
        isStream = false;
        if (route.OptionalText("upstream", Reload.NewSessions) is not { } text)
        {
            return null;
        }

        isStream = text.StartsWith("tcp://", StringComparison.Ordinal);
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

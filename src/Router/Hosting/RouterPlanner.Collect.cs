using Router.Configuration;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Hosting;

/// <summary>Collect routes: windows, and the sink they go to.</summary>
internal sealed partial class RouterPlanner
{
    private Route? MakeCollect(CollectRouteOptions collect)
    {
        if (SinkOf(collect) is not { } makeSink)
        {
            return null;
        }

        var settings = new CollectSettings(
            collect.Per == CollectPer.Listener ? CollectScope.Listener : CollectScope.Session,
            (int)Milliseconds(collect.Window),
            collect.Every > TimeSpan.Zero ? (int)Milliseconds(collect.Every) : 0,
            collect.Count,
            collect.Bytes,
            collect.Buffer);
        return new CollectRoute(collect.Name, settings, makeSink);
    }

    private Func<CollectSurroundings, IWindowSink>? SinkOf(CollectRouteOptions collect) => collect.To switch
    {
        CollectTo.File => FileSinkOf(collect.File),
        CollectTo.Upstream => UpstreamSinkOf(collect),
        CollectTo.Log => static around => new LogSink(around.Events),
        _ => HandlerSinkOf(collect),
    };

    private static Func<CollectSurroundings, IWindowSink> FileSinkOf(CollectFileOptions file)
    {
        var settings = new FileSinkSettings(
            Path.GetFullPath(file.Path!),
            file.RotateSize,
            file.RotateInterval == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : file.RotateInterval,
            file.Keep,
            file.Fsync);
        return around => new FileSink(settings, around.Files, around.Time);
    }

    private Func<CollectSurroundings, IWindowSink> UpstreamSinkOf(CollectRouteOptions collect)
    {
        var isStream = collect.UpstreamTransport == Transport.Tcp;
        var target = new UpstreamTarget(collect.Upstream!.Host, collect.Upstream.Port);
        var group = new UpstreamGroup(
            new UpstreamGroupSettings(collect.Name, [target], ResolveInterval, ResolveTimeout, TimeSpan.Zero), time);
        _groups[collect.Name] = group;
        return around => new UpstreamSink(group, isStream, around.Loop, around.Time);
    }

    private Func<CollectSurroundings, IWindowSink>? HandlerSinkOf(CollectRouteOptions collect)
    {
        Func<WindowHandler>? create;
        if (collect.HandlerName is not { } name)
        {
            create = FindClass<WindowHandler>(collect, collect.Class!);
        }
        else if (!parts.WindowHandlers.TryGetValue(name, out create))
        {
            var added = Listed(parts.WindowHandlers.Keys);
            Refuse(collect, $"names window handler '{name}', which the program did not add; added: {added}");
            return null;
        }

        return create is null ? null : _ => new HandlerSink(collect.HandlerName ?? collect.Class!, create);
    }
}

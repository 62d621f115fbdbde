using System.Net;
using Router.Configuration.Hocon;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Configuration;

/// <summary>Makes options of the section <c>router</c>.</summary>
/// <remarks>
/// Values come from the layers alone: reference.conf is the lowest, so no default is written here.
/// What a listener or route inherits is laid below its own entry before it is read, so a fault in the defaults is
/// found where they are used, with the place it really stands at.
/// </remarks>
internal sealed partial class OptionsBinder(ReadLog log)
{
    /// <summary>Of a unix socket.</summary>
    private static readonly IPEndPoint NoEndPoint = new(IPAddress.None, 0);

    public const string EchoType = "echo";
    public const string ReplyType = "reply";
    public const string ProxyType = "proxy";
    public const string ExecType = "exec";
    public const string HandlerType = "handler";
    public const string CollectType = "collect";
    public const string RoomType = "room";
    public const string FlowType = "flow";
    public const string ActorType = "actor";

    public static IReadOnlyList<string> RouteTypes { get; } =
        [EchoType, ReplyType, ProxyType, ExecType, CollectType, RoomType, FlowType, HandlerType, ActorType];

    public RouterOptions Bind(HoconObject section, HoconOrigin origin)
    {
        var router = new SectionReader(section, "router", origin, log);
        var listenerDefaults = router.Object("listener-defaults");
        var routeDefaults = router.Child("route-defaults");
        var defaultsByType = RouteTypes.ToDictionary(t => t, routeDefaults.Object, StringComparer.Ordinal);
        return new RouterOptions
        {
            Loops = router.OptionalText("loops") == "auto" ? null : router.Int("loops"),
            Network = router.Choice("network",
                ("auto", NetworkChoice.Auto), ("linux", NetworkChoice.Linux), ("portable", NetworkChoice.Portable)),
            Splice = BindSplice(router.Child("splice")),
            Heap = BindHeap(router.Child("heap")),
            DrainTimeout = router.Duration("drain-timeout"),
            Log = BindLog(router.Child("log")),
            Guards = BindGuards(router.Child("guards")),
            Reload = BindReload(router.Child("reload")),
            Listeners = [.. Entries(router, "listeners").Select(f => BindListener(f, listenerDefaults))],
            Routes = [.. Entries(router, "routes").Select(f => BindRoute(f, defaultsByType)).OfType<RouteOptions>()],
            Source = section,
        };
    }

    private static HeapOptions BindHeap(SectionReader heap) =>
        new(heap.Int("hold-collections-from"), heap.Int("prepared-sessions"), heap.Int("spare-sessions"));

    /// <summary>The objects whose keys are names; null takes away what a lower layer named.</summary>
    private IEnumerable<HoconField> Entries(SectionReader router, string key)
    {
        foreach (var field in router.Object(key).Fields)
        {
            if (field.Value is HoconObject)
            {
                yield return field;
            }
            else if (field.Value.Type != HoconType.Null)
            {
                var path = $"router.{key}.{HoconPath.Print([field.Name])}";
                log.Faults.Add(new ConfigurationFault(
                    field.KeyOrigin, path, $"an object is wanted, not {field.Value.TypeName}"));
            }
        }
    }

    private static SpliceOptions BindSplice(SectionReader splice) =>
        new(splice.Int("pipes"), splice.Size("pipe-size"));

    private static LogOptions BindLog(SectionReader log) => new(
        log.Choice("format", ("auto", LogFormat.Auto), ("json", LogFormat.Json), ("text", LogFormat.Text)),
        log.Choice("level", ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information),
            ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
        log.Duration("stats-interval", allowInfinite: true),
        log.Int("queue"),
        log.Int("session-records"));

    private static ReloadOptions BindReload(SectionReader reload) =>
        new(reload.Bool("on-change"), reload.Duration("debounce"));

    private static GuardOptions BindGuards(SectionReader guards)
    {
        var ports = new HashSet<int>();
        foreach (var (text, origin) in guards.Texts("responder-ports"))
        {
            if (ushort.TryParse(text, out var port) && port > 0)
            {
                ports.Add(port);
            }
            else
            {
                guards.Fault(origin, "responder-ports", $"'{text}' is not a port, 1 to 65535");
            }
        }

        return new GuardOptions(guards.Bool("answer-privileged-ports"), ports);
    }

    private ListenerOptions BindListener(HoconField field, HoconObject defaults)
    {
        var entry = ((HoconObject)field.Value).WithFallback(defaults);
        var path = $"router.listeners.{HoconPath.Print([field.Name])}";
        var listener = new SectionReader(entry, path, field.KeyOrigin, log);
        var session = listener.Child("session");
        return new ListenerOptions
        {
            Name = field.Name,
            Binds = BindBinds(listener),
            Route = listener.Text("route"),
            Backlog = listener.Int("backlog"),
            ReceiveBuffer = listener.Size("receive-buffer"),
            SendBuffer = listener.Size("send-buffer"),
            DualStack = listener.Bool("dual-stack"),
            IdleTimeout = listener.Duration("idle-timeout", allowInfinite: true),
            MaxLifetime = listener.Duration("max-lifetime", allowInfinite: true),
            MaxSessions = listener.Int("max-sessions"),
            WriteBuffer = listener.Size("write-buffer"),
            Unix = BindUnixFile(listener.Child("unix")),
            SessionSocket = listener.Choice("session-socket",
                ("shared", SessionSocketChoice.Shared),
                ("connected", SessionSocketChoice.Connected),
                ("own-port", SessionSocketChoice.OwnPort)),
            Session = new SessionOptions(
                session.Choice("dispatcher", ("io", SessionDispatcher.Io), ("pool", SessionDispatcher.Pool)),
                session.Int("mailbox-messages"),
                session.Size("mailbox-bytes"),
                session.Int("max-restarts"),
                session.Duration("restart-window")),
            Origin = field.KeyOrigin,
            Source = entry,
        };
    }

    private static UnixFileChoice BindUnixFile(SectionReader file)
    {
        var text = file.Text("mode");
        var isOctal = text.Length is 3 or 4 && text.All(static c => c is >= '0' and <= '7');
        return new UnixFileChoice(
            isOctal ? Convert.ToInt32(text, 8) : -1, file.OptionalText("owner"), file.OptionalText("group"));
    }

    private static List<BindOptions> BindBinds(SectionReader listener)
    {
        var binds = new List<BindOptions>();
        foreach (var (text, origin) in listener.Texts("bind", atLeastOne: true))
        {
            if (UnixEndpoints.IsUnix(text))
            {
                if (UnixEndpoints.TryParse(text, out var kind, out var name, out var fault))
                {
                    binds.Add(new BindOptions(kind, NoEndPoint, origin) { Name = name });
                }
                else
                {
                    listener.Fault(origin, "bind", fault!);
                }
            }
            else if (Endpoints.TryParseBind(text, out var transport, out var endPoint, out var reason))
            {
                binds.Add(new BindOptions(transport, endPoint, origin));
            }
            else
            {
                listener.Fault(origin, "bind", reason!);
            }
        }

        return binds;
    }

    private RouteOptions? BindRoute(HoconField field, Dictionary<string, HoconObject> defaultsByType)
    {
        var own = (HoconObject)field.Value;
        var path = $"router.routes.{HoconPath.Print([field.Name])}";
        var typed = new SectionReader(own, path, field.KeyOrigin, new ReadLog());
        var type = typed.OptionalText("type") ?? "";
        if (!defaultsByType.TryGetValue(type, out var defaults))
        {
            var place = typed.OriginOf("type");
            log.Faults.Add(new ConfigurationFault(place, $"{path}.type", type.Length == 0
                ? $"must be set, to one of {string.Join(", ", RouteTypes)}"
                : $"'{type}' is none of {string.Join(", ", RouteTypes)}{Nearest.Hint(type, RouteTypes)}"));
            return null;
        }

        var entry = own.WithFallback(defaults);
        var route = new SectionReader(entry, path, field.KeyOrigin, log);
        route.Has("type");
        var (name, origin) = (field.Name, field.KeyOrigin);
        return type switch
        {
            EchoType => new EchoRouteOptions { Name = name, Origin = origin, Source = entry },
            ReplyType => BindReply(route, name, origin, entry),
            ProxyType => BindProxy(route, name, origin, entry),
            ExecType => BindExec(route, name, origin, entry),
            RoomType => RoomBinder.Bind(
                route, new EchoRouteOptions { Name = name, Origin = origin, Source = entry }),
            CollectType => CollectBinder.Bind(
                route, new EchoRouteOptions { Name = name, Origin = origin, Source = entry }),
            FlowType => new FlowRouteOptions
            {
                Route = route.Text("route"),
                Join = route.Choice("join", ("address", FlowJoinChoice.Address), ("token", FlowJoinChoice.Token)),
                KeepToken = route.Bool("keep-token"),
                MaxFlows = route.Int("max-flows"),
                JoinTimeout = route.Duration("join-timeout"),
                EndWithLastFlow = route.Bool("end-with-last-flow"),
                Name = name,
                Origin = origin,
                Source = entry,
            },
            ActorType => new ActorRouteOptions
            {
                Path = route.OptionalText("path"),
                Key = route.OptionalText("key"),
                MaxUnanswered = route.Int("max-unanswered"),
                MaxUnansweredBytes = route.Size("max-unanswered-bytes"),
                AnswerTimeout = route.Duration("answer-timeout", allowInfinite: true),
                ReplyBuffer = route.Size("reply-buffer"),
                Name = name,
                Origin = origin,
                Source = entry,
            },
            _ => new HandlerRouteOptions
            {
                Class = route.OptionalText("class"),
                HandlerName = route.OptionalText("name"),
                Name = name,
                Origin = origin,
                Source = entry,
            },
        };
    }

    private static ReplyRouteOptions BindReply(SectionReader route, string name, HoconOrigin origin, HoconObject entry)
    {
        var text = route.OptionalText("text");
        IReadOnlyList<ReplyPart> parts = [];
        if (text is not null && !ReplyText.TryParse(text, out parts, out var fault))
        {
            route.Fault("text", fault!);
        }

        if (route.OptionalText("bytes") is { } hex)
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

        return new ReplyRouteOptions { Text = text, Parts = parts, Name = name, Origin = origin, Source = entry };
    }

    private static ProxyRouteOptions BindProxy(SectionReader route, string name, HoconOrigin origin, HoconObject entry)
    {
        var upstreams = new List<UpstreamOptions>();
        foreach (var (text, place) in route.Has("upstreams") ? route.Texts("upstreams") : [])
        {
            if (UnixEndpoints.IsUnix(text))
            {
                if (UnixEndpoints.TryParse(text, out var kind, out var socket, out var fault))
                {
                    upstreams.Add(new UpstreamOptions(socket, 0, null, place) { Unix = kind });
                }
                else
                {
                    route.Fault(place, "upstreams", fault!);
                }
            }
            else if (Endpoints.TryParseUpstream(text, out var host, out var port, out var address, out var reason))
            {
                upstreams.Add(new UpstreamOptions(host, port, address, place));
            }
            else
            {
                route.Fault(place, "upstreams", reason!);
            }
        }

        return new ProxyRouteOptions
        {
            Upstreams = upstreams,
            Pick = route.Choice("pick", ("round-robin", PickPolicy.RoundRobin),
                ("least-sessions", PickPolicy.LeastSessions), ("hash", PickPolicy.Hash)),
            Responses = route.Int("responses"),
            ConnectTimeout = route.Duration("connect-timeout"),
            UpstreamIdleTimeout = route.Duration("upstream-idle-timeout", allowInfinite: true),
            NextUpstreamTries = route.Int("next-upstream-tries"),
            UpstreamReplies = route.Choice("upstream-replies",
                ("strict", UpstreamReplies.Strict), ("follow", UpstreamReplies.Follow)),
            ResolveInterval = route.Duration("resolve-interval"),
            OnUpstreamRemoved = route.Choice("on-upstream-removed", ("finish", UpstreamRemoval.Finish),
                ("close", UpstreamRemoval.Close), ("re-pick", UpstreamRemoval.RePick)),
            Name = name,
            Origin = origin,
            Source = entry,
        };
    }
}

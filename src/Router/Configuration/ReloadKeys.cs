namespace Router.Configuration;

/// <summary>What becomes of a changed key when the configuration is read again.</summary>
internal enum ReloadEffect
{
    /// <summary>What runs follows at once, live sessions included.</summary>
    AtOnce,

    /// <summary>Sessions that begin from now on follow; live ones end as they began.</summary>
    NewSessions,

    /// <summary>Addresses that went away drain, new ones are bound; those that stay keep socket and sessions.</summary>
    RestartsListener,

    /// <summary>Nothing follows before the next start; a warning says so.</summary>
    No,
}

/// <summary>What a reload does with each key: the one place where it is said. hocon/reference.conf repeats it, key by
/// key.</summary>
internal static class ReloadKeys
{
    /// <summary>One key; <paramref name="Value"/> gives what is compared, by its own equality.</summary>
    internal sealed record Key<T>(string Path, ReloadEffect Effect, Func<T, object?> Value);

    public static IReadOnlyList<Key<RouterOptions>> Router { get; } =
    [
        new("loops", ReloadEffect.No, o => o.LoopCount),
        new("network", ReloadEffect.No, o => o.Network),
        new("splice.pipes", ReloadEffect.No, o => o.Splice.Pipes),
        new("splice.pipe-size", ReloadEffect.No, o => o.Splice.PipeSize),
        new("heap.hold-collections-from", ReloadEffect.No, o => o.Heap.HoldCollectionsFrom),
        new("heap.prepared-sessions", ReloadEffect.No, o => o.Heap.PreparedSessions),
        new("heap.spare-sessions", ReloadEffect.No, o => o.Heap.SpareSessions),
        new("drain-timeout", ReloadEffect.AtOnce, o => o.DrainTimeout),
        new("log.format", ReloadEffect.No, o => o.Log.Format),
        new("log.level", ReloadEffect.AtOnce, o => o.Log.Level),
        new("log.stats-interval", ReloadEffect.AtOnce, o => o.Log.StatsInterval),
        new("log.queue", ReloadEffect.No, o => o.Log.Queue),
        new("log.session-records", ReloadEffect.No, o => o.Log.SessionRecords),
        new("guards.answer-privileged-ports", ReloadEffect.NewSessions, o => o.Guards.AnswerPrivilegedPorts),
        new("guards.responder-ports", ReloadEffect.NewSessions, o => Joined(o.Guards.ResponderPorts.Order())),
        new("reload.on-change", ReloadEffect.AtOnce, o => o.Reload.OnChange),
        new("reload.debounce", ReloadEffect.AtOnce, o => o.Reload.Debounce),
    ];

    public static IReadOnlyList<Key<ListenerOptions>> Listener { get; } =
    [
        new("bind", ReloadEffect.RestartsListener, o => Joined(o.Binds)),
        new("route", ReloadEffect.NewSessions, o => o.Route),
        new("backlog", ReloadEffect.No, o => o.Backlog),
        new("receive-buffer", ReloadEffect.No, o => o.ReceiveBuffer),
        new("send-buffer", ReloadEffect.No, o => o.SendBuffer),
        new("dual-stack", ReloadEffect.No, o => o.DualStack),
        new("idle-timeout", ReloadEffect.AtOnce, o => o.IdleTimeout),
        new("max-lifetime", ReloadEffect.AtOnce, o => o.MaxLifetime),
        new("max-sessions", ReloadEffect.AtOnce, o => o.MaxSessions),
        new("write-buffer", ReloadEffect.AtOnce, o => o.WriteBuffer),
        new("unix.mode", ReloadEffect.No, o => o.Unix.Mode),
        new("unix.owner", ReloadEffect.No, o => o.Unix.Owner),
        new("unix.group", ReloadEffect.No, o => o.Unix.Group),
        new("session-socket", ReloadEffect.No, o => o.SessionSocket),
        new("session.dispatcher", ReloadEffect.No, o => o.Session.Dispatcher),
        new("session.mailbox-messages", ReloadEffect.AtOnce, o => o.Session.MailboxMessages),
        new("session.mailbox-bytes", ReloadEffect.AtOnce, o => o.Session.MailboxBytes),
        new("session.max-restarts", ReloadEffect.No, o => o.Session.MaxRestarts),
        new("session.restart-window", ReloadEffect.No, o => o.Session.RestartWindow),
    ];

    public static IReadOnlyList<Key<ReplyRouteOptions>> Reply { get; } =
    [
        new("text", ReloadEffect.NewSessions, o => o.Text),
        new("bytes", ReloadEffect.NewSessions, o => o.Text is null ? HexOf(o.Parts) : null),
    ];

    public static IReadOnlyList<Key<ProxyRouteOptions>> Proxy { get; } =
    [
        new("upstreams", ReloadEffect.AtOnce, o => Joined(o.Upstreams)),
        new("pick", ReloadEffect.AtOnce, o => o.Pick),
        new("responses", ReloadEffect.AtOnce, o => o.Responses),
        new("connect-timeout", ReloadEffect.AtOnce, o => o.ConnectTimeout),
        new("upstream-idle-timeout", ReloadEffect.AtOnce, o => o.UpstreamIdleTimeout),
        new("next-upstream-tries", ReloadEffect.AtOnce, o => o.NextUpstreamTries),
        new("upstream-replies", ReloadEffect.NewSessions, o => o.UpstreamReplies),
        new("resolve-interval", ReloadEffect.AtOnce, o => o.ResolveInterval),
        new("on-upstream-removed", ReloadEffect.AtOnce, o => o.OnUpstreamRemoved),
    ];

    public static IReadOnlyList<Key<HandlerRouteOptions>> Handler { get; } =
    [
        new("class", ReloadEffect.NewSessions, o => o.Class),
        new("name", ReloadEffect.NewSessions, o => o.HandlerName),
    ];

    /// <summary>Of a route of another type than proxy every key is for new sessions: such a route is made
    /// anew.</summary>
    public static IReadOnlyList<Key<ExecRouteOptions>> Exec { get; } = Anew<ExecRouteOptions>(
        ("command", o => Words(o.Command)),
        ("directory", o => o.Directory),
        ("environment", o => Words(o.Environment)),
        ("max-processes", o => o.MaxProcesses),
        ("grace", o => o.Grace),
        ("restart", o => o.Restart),
        ("stderr-lines", o => o.StderrLines),
        ("limits.cpu-time", o => o.Limits.CpuTime),
        ("limits.memory", o => o.Limits.Memory),
        ("limits.file-size", o => o.Limits.FileSize),
        ("limits.open-files", o => o.Limits.OpenFiles),
        ("validate", o => o.Validate),
        ("token", o => o.Token),
        ("allow-unvalidated", o => Joined(o.AllowUnvalidated)),
        ("validate-timeout", o => o.ValidateTimeout));

    public static IReadOnlyList<Key<CollectRouteOptions>> Collect { get; } = Anew<CollectRouteOptions>(
        ("per", o => o.Per),
        ("window", o => o.Window),
        ("every", o => o.Every),
        ("count", o => o.Count),
        ("bytes", o => o.Bytes),
        ("buffer", o => o.Buffer),
        ("to", o => o.To),
        ("file.path", o => o.File.Path),
        ("file.rotate-size", o => o.File.RotateSize),
        ("file.rotate-interval", o => o.File.RotateInterval),
        ("file.keep", o => o.File.Keep),
        ("file.fsync", o => o.File.Fsync),
        ("upstream", o => o.Upstream is null ? null : $"{o.UpstreamTransport} {o.Upstream}"),
        ("class", o => o.Class),
        ("name", o => o.HandlerName));

    public static IReadOnlyList<Key<RoomRouteOptions>> Room { get; } = Anew<RoomRouteOptions>(
        ("join", o => o.Join),
        ("class", o => o.Class),
        ("name", o => o.HandlerName),
        ("to-sender", o => o.ToSender),
        ("max-rooms", o => o.MaxRooms),
        ("max-members", o => o.MaxMembers),
        ("max-payload", o => o.MaxPayload),
        ("buffer", o => o.Buffer),
        ("when-slow", o => o.WhenSlow),
        ("validate", o => o.Validate),
        ("token", o => o.Token),
        ("allow-unvalidated", o => Joined(o.AllowUnvalidated)),
        ("validate-timeout", o => o.ValidateTimeout));

    public static IReadOnlyList<Key<FlowRouteOptions>> Flow { get; } = Anew<FlowRouteOptions>(
        ("route", o => o.Route),
        ("join", o => o.Join),
        ("keep-token", o => o.KeepToken),
        ("max-flows", o => o.MaxFlows),
        ("join-timeout", o => o.JoinTimeout),
        ("end-with-last-flow", o => o.EndWithLastFlow));

    public static IReadOnlyList<Key<ActorRouteOptions>> Actor { get; } = Anew<ActorRouteOptions>(
        ("path", o => o.Path),
        ("key", o => o.Key),
        ("max-unanswered", o => o.MaxUnanswered),
        ("max-unanswered-bytes", o => o.MaxUnansweredBytes),
        ("answer-timeout", o => o.AnswerTimeout),
        ("reply-buffer", o => o.ReplyBuffer));

    /// <summary>The keys of the tables, as paths of reference.conf below <c>router</c>.</summary>
    public static IEnumerable<(string Path, ReloadEffect Effect)> All =>
        Router.Select(static key => (key.Path, key.Effect))
            .Concat(Listener.Select(static key => ($"listener-defaults.{key.Path}", key.Effect)))
            .Concat(Reply.Select(static key => ($"route-defaults.reply.{key.Path}", key.Effect)))
            .Concat(Proxy.Select(static key => ($"route-defaults.proxy.{key.Path}", key.Effect)))
            .Concat(Exec.Select(static key => ($"route-defaults.exec.{key.Path}", key.Effect)))
            .Concat(Collect.Select(static key => ($"route-defaults.collect.{key.Path}", key.Effect)))
            .Concat(Room.Select(static key => ($"route-defaults.room.{key.Path}", key.Effect)))
            .Concat(Flow.Select(static key => ($"route-defaults.flow.{key.Path}", key.Effect)))
            .Concat(Actor.Select(static key => ($"route-defaults.actor.{key.Path}", key.Effect)))
            .Concat(Handler.Select(static key => ($"route-defaults.handler.{key.Path}", key.Effect)));

    /// <summary>The words of reference.conf, behind <c>Reload: </c>.</summary>
    public static string WordsOf(ReloadEffect effect) => effect switch
    {
        ReloadEffect.AtOnce => "at once",
        ReloadEffect.NewSessions => "new sessions",
        ReloadEffect.RestartsListener => "restarts the listener",
        _ => "no",
    };

    private static Key<T>[] Anew<T>(params (string Path, Func<T, object?> Value)[] keys) =>
        [.. keys.Select(static key => new Key<T>(key.Path, ReloadEffect.NewSessions, key.Value))];

    /// <summary>Of words that may have blanks, but no zero byte.</summary>
    private static string Words(IEnumerable<string> words) => string.Join('\0', words);

    private static string HexOf(IEnumerable<ReplyPart> parts) =>
        string.Concat(parts.Select(static part => Convert.ToHexString(part.Literal.Span)));

    /// <summary>Options are compared by their text: the places they were read from do not matter.</summary>
    private static string Joined<T>(IEnumerable<T> items) => string.Join(' ', items);
}

namespace Router.Configuration.Validators;

/// <summary>Every number, size and duration lies within its limits.</summary>
internal sealed class LimitsRule : IConfigurationRule
{
    private const long KiB = 1 << 10;
    private const long MiB = 1 << 20;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    /// <summary>The limits of one key; <paramref name="Value"/> reads it from its options.</summary>
    internal sealed record Limit<T>(string Key, Func<T, object> Value, object Min, object Max);

    public static IReadOnlyList<Limit<RouterOptions>> Router { get; } =
    [
        new("loops", o => (long)o.LoopCount, 1L, 64L),
        new("splice.pipes", o => (long)o.Splice.Pipes, 0L, 4_096L),
        new("splice.pipe-size", o => (long)o.Splice.PipeSize, 4 * KiB, 16 * MiB),
        new("heap.hold-collections-from", o => (long)o.Heap.HoldCollectionsFrom, 0L, 10_000_000L),
        new("heap.prepared-sessions", o => (long)o.Heap.PreparedSessions, 0L, 10_000_000L),
        new("heap.spare-sessions", o => (long)o.Heap.SpareSessions, 0L, 10_000_000L),
        new("drain-timeout", o => o.DrainTimeout, TimeSpan.Zero, Day),
        new("log.stats-interval", o => o.Log.StatsInterval, TimeSpan.FromSeconds(1), Day),
        new("reload.debounce", o => o.Reload.Debounce, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)),
        new("log.queue", o => (long)o.Log.Queue, 16L, 1_000_000L),
        new("log.session-records", o => (long)o.Log.SessionRecords, 0L, 1_000_000L),
    ];

    public static IReadOnlyList<Limit<ListenerOptions>> Listener { get; } =
    [
        new("backlog", o => (long)o.Backlog, 1L, 65_535L),
        new("receive-buffer", o => (long)o.ReceiveBuffer, 4 * KiB, 1024 * MiB),
        new("send-buffer", o => (long)o.SendBuffer, 4 * KiB, 1024 * MiB),
        new("idle-timeout", o => o.IdleTimeout, Tick, Year),
        new("max-lifetime", o => o.MaxLifetime, Tick, Year),
        new("max-sessions", o => (long)o.MaxSessions, 1L, 10_000_000L),
        new("write-buffer", o => (long)o.WriteBuffer, KiB, 64 * MiB),
        new("session.mailbox-messages", o => (long)o.Session.MailboxMessages, 1L, 1_000_000L),
        new("session.mailbox-bytes", o => (long)o.Session.MailboxBytes, 64 * KiB, 1024 * MiB),
        new("session.max-restarts", o => (long)o.Session.MaxRestarts, 0L, 1_000L),
        new("session.restart-window", o => o.Session.RestartWindow, Tick, Day),
    ];

    public static IReadOnlyList<Limit<ProxyRouteOptions>> Proxy { get; } =
    [
        new("responses", o => (long)o.Responses, 0L, 1_000_000L),
        new("connect-timeout", o => o.ConnectTimeout, Tick, TimeSpan.FromMinutes(10)),
        new("upstream-idle-timeout", o => o.UpstreamIdleTimeout, Tick, Year),
        new("next-upstream-tries", o => (long)o.NextUpstreamTries, 1L, 100L),
        new("resolve-interval", o => o.ResolveInterval, TimeSpan.FromSeconds(1), Day),
    ];

    public static IReadOnlyList<Limit<ExecRouteOptions>> Exec { get; } =
    [
        new("max-processes", o => (long)o.MaxProcesses, 1L, 100_000L),
        new("grace", o => o.Grace, TimeSpan.Zero, TimeSpan.FromMinutes(10)),
        new("stderr-lines", o => (long)o.StderrLines, 0L, 10_000L),
        new("limits.cpu-time", o => o.Limits.CpuTime, TimeSpan.FromSeconds(1), Year),
        new("limits.memory", o => o.Limits.Memory, 0L, 1024L * 1024 * MiB),
        new("limits.file-size", o => o.Limits.FileSize, 0L, 1024L * 1024 * MiB),
        new("limits.open-files", o => (long)o.Limits.OpenFiles, 3L, 1_048_576L),
        new("validate-timeout", o => o.ValidateTimeout, Tick, Day),
    ];

    public static IReadOnlyList<Limit<CollectRouteOptions>> Collect { get; } =
    [
        new("window", o => o.Window, Tick, Day),
        new("every", o => o.Every, TimeSpan.Zero, Day),
        new("count", o => (long)o.Count, 0L, 1_000_000L),
        new("bytes", o => (long)o.Bytes, 64 * KiB, 64 * MiB),
        new("buffer", o => (long)o.Buffer, 256 * KiB, 1024 * MiB),
        new("file.rotate-size", o => (long)o.File.RotateSize, 0L, 1024 * MiB),
        new("file.rotate-interval", o => o.File.RotateInterval, TimeSpan.FromSeconds(1), Year),
        new("file.keep", o => (long)o.File.Keep, 0L, 1_000L),
    ];

    public static IReadOnlyList<Limit<RoomRouteOptions>> Room { get; } =
    [
        new("max-rooms", o => (long)o.MaxRooms, 1L, 1_000_000L),
        new("max-members", o => (long)o.MaxMembers, 1L, 100_000L),
        new("max-payload", o => (long)o.MaxPayload, 64L, 65_507L),
        new("buffer", o => (long)o.Buffer, 256 * KiB, 1024 * MiB),
        new("validate-timeout", o => o.ValidateTimeout, Tick, Day),
    ];

    public static IReadOnlyList<Limit<FlowRouteOptions>> Flow { get; } =
    [
        new("max-flows", o => (long)o.MaxFlows, 1L, 1_024L),
        new("join-timeout", o => o.JoinTimeout, Tick, Day),
    ];

    public static IReadOnlyList<Limit<ActorRouteOptions>> Actor { get; } =
    [
        new("max-unanswered", o => (long)o.MaxUnanswered, 1L, 100_000L),
        new("max-unanswered-bytes", o => (long)o.MaxUnansweredBytes, 64 * KiB, 64 * MiB),
        new("answer-timeout", o => o.AnswerTimeout, Tick, Day),
        new("reply-buffer", o => (long)o.ReplyBuffer, 64 * KiB, 64 * MiB),
    ];

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var options = context.Options;
        return Broken(options, Router, (o, key, message) => RuleContext.Fault(o, key, message))
            .Concat(options.Listeners.SelectMany(l =>
                Broken(l, Listener, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<ProxyRouteOptions>().SelectMany(r =>
                Broken(r, Proxy, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<ExecRouteOptions>().SelectMany(r =>
                Broken(r, Exec, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<CollectRouteOptions>().SelectMany(r =>
                Broken(r, Collect, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<RoomRouteOptions>().SelectMany(r =>
                Broken(r, Room, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<FlowRouteOptions>().SelectMany(r =>
                Broken(r, Flow, (o, key, message) => RuleContext.Fault(o, key, message))))
            .Concat(options.Routes.OfType<ActorRouteOptions>().SelectMany(r =>
                Broken(r, Actor, (o, key, message) => RuleContext.Fault(o, key, message))));
    }

    private static IEnumerable<ConfigurationFault> Broken<T>(
        T options, IReadOnlyList<Limit<T>> limits, Func<T, string, string, ConfigurationFault> fault) =>
        from limit in limits
        let value = limit.Value(options)
        where value is not TimeSpan { Ticks: -TimeSpan.TicksPerMillisecond }
            && (((IComparable)value).CompareTo(limit.Min) < 0 || ((IComparable)value).CompareTo(limit.Max) > 0)
        select fault(options, limit.Key, $"{Print(value)} is not within {Print(limit.Min)} to {Print(limit.Max)}");

    private static string Print(object value) => value switch
    {
        TimeSpan time when time.Ticks % TimeSpan.TicksPerDay == 0 && time != TimeSpan.Zero => $"{time.TotalDays}d",
        TimeSpan time when time.Ticks % TimeSpan.TicksPerSecond == 0 => $"{time.TotalSeconds}s",
        TimeSpan time => $"{time.TotalMilliseconds}ms",
        _ => $"{value}",
    };
}

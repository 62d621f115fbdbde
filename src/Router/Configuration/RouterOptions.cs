using Router.Configuration.Hocon;
using Router.Loop;
using Router.Net;

namespace Router.Configuration;

/// <summary>The section <c>router</c>. Each key is declared here once; what it means, and its default, is in
/// hocon/reference.conf.</summary>
internal sealed class RouterOptions
{
    public RouterOptions(SectionReader router, IReadOnlyList<RouteType> types, ReadFindings findings)
    {
        Section = router;
        Loops = router.IntOr("auto", AutoLoops, "loops", 1, 64, Reload.No);
        StallTimeout = router.Duration(
            "stall-timeout", TimeSpan.FromMilliseconds(100), Limit.Day, Reload.No, orInfinite: true);
        PoolThreads = router.IntOr("auto", AutoPoolThreads, "pool-threads", 4, 1_024, Reload.No);
        Network = router.Choice<NetworkChoice>("network", Reload.No);
        var splice = router.Child("splice");
        Loop = new IoLoopOptions(
            Pipes: splice.Int("pipes", 0, 4_096, Reload.No),
            PipeBytes: splice.Size("pipe-size", 4 << 10, 16 << 20, Reload.No));
        var heap = router.Child("heap");
        Heap = new HeapOptions(
            heap.Int("hold-collections-from", 0, 10_000_000, Reload.No),
            heap.Int("prepared-sessions", 0, 10_000_000, Reload.No),
            heap.Int("spare-sessions", 0, 10_000_000, Reload.No),
            heap.SizeOr("auto", 0, "young-budget", 128 << 10, 1 << 30, Reload.No));
        DrainTimeout = router.Duration("drain-timeout", TimeSpan.Zero, Limit.Day, Reload.AtOnce);
        Log = new LogOptions(router.Child("log"));
        var guards = router.Child("guards");
        Guards = new GuardOptions(
            guards.Bool("answer-privileged-ports", Reload.NewSessions),
            guards.Set<int>("responder-ports", Reload.NewSessions, ParsePort));
        var reload = router.Child("reload");
        Reloads = new ReloadOptions(
            reload.Bool("on-change", Reload.AtOnce),
            reload.Duration("debounce", TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1), Reload.AtOnce));
        Admin = new AdminOptions(router.Child("admin"));
        Metrics = new MetricsOptions(router.Child("metrics"));
        Spans = new SpanOptions(router.Child("spans"));
        var clusterDefaults = router.Object("cluster-defaults");
        if (router.IsSet("cluster", Reload.No) && router.Find("cluster") is { } cluster
            && findings.ObjectOf(cluster, "router.cluster") is { } members)
        {
            var section = members.OverNull().WithFallback(clusterDefaults);
            Cluster = new ClusterOptions(new SectionReader(
                "cluster", "router.cluster", section, cluster.KeyOrigin, findings));
        }

        var listenerDefaults = router.Object("listener-defaults");
        Listeners = [.. Entries(router, "listeners", findings)
            .Select(field => new ListenerOptions(EntryOf("listeners", field, listenerDefaults, findings)))];
        var routeDefaults = router.Child("route-defaults");
        var defaults = types.ToDictionary(
            static type => type.Name,
            type => routeDefaults.Has(type.Name)
                ? routeDefaults.Object(type.Name)
                : new HoconObject([], routeDefaults.Origin),   // a type that reference.conf does not know
            StringComparer.Ordinal);
        Routes = [.. Entries(router, "routes", findings)
            .Select(field => ReadRoute(field, types, defaults, findings))
            .OfType<RouteOptions>()];
    }

    public SectionReader Section { get; }

    /// <summary>I/O loops asked for; null is "auto".</summary>
    public int? Loops { get; }

    /// <summary>Infinite for no reports.</summary>
    public TimeSpan StallTimeout { get; }

    public NetworkChoice Network { get; }

    public IoLoopOptions Loop { get; }

    public HeapOptions Heap { get; }

    public TimeSpan DrainTimeout { get; }

    public LogOptions Log { get; }

    public GuardOptions Guards { get; }

    public ReloadOptions Reloads { get; }

    public AdminOptions Admin { get; }

    public MetricsOptions Metrics { get; }

    public SpanOptions Spans { get; }

    /// <summary>Null for a router that is no member of a cluster.</summary>
    public ClusterOptions? Cluster { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ListenerOptions> Listeners { get; }

    /// <summary>In the order of the file; names are unique.</summary>
    public IReadOnlyList<RouteOptions> Routes { get; }

    /// <summary>The section <c>akka</c> beside it, as read: Akka's own keys, whatever they are. Null for
    /// none.</summary>
    public HoconObject? Akka { get; init; }

    /// <summary>As asked for, or as many as there are processors, 8 at most.</summary>
    public int LoopCount => Loops ?? AutoLoops;

    /// <summary>Threads asked for; null is "auto".</summary>
    public int? PoolThreads { get; }

    public int PoolThreadCount => PoolThreads ?? AutoPoolThreads;

    private static int AutoPoolThreads => Math.Max(16, 2 * Environment.ProcessorCount);

    private static int AutoLoops => Math.Min(Environment.ProcessorCount, 8);

    public RouteOptions? FindRoute(string name) => Routes.FirstOrDefault(r => r.Name == name);

    private static string? ParsePort(string text, HoconOrigin origin, out int port)
    {
        var isPort = ushort.TryParse(text, out var number) && number > 0;
        port = number;
        return isPort ? null : $"'{text}' is not a port, 1 to 65535";
    }

    /// <summary>The objects whose keys are names; null takes away what a lower layer named.</summary>
    private static IEnumerable<HoconField> Entries(SectionReader router, string key, ReadFindings findings)
    {
        foreach (var field in router.Object(key).Fields)
        {
            if (field.Value.Type != HoconType.Null && findings.ObjectOf(field, PathOf(key, field)) is not null)
            {
                yield return field;
            }
        }
    }

    /// <summary>Lays what an entry inherits below it before it is read, so that a fault in the defaults is reported at
    /// its own place.</summary>
    private static SectionReader EntryOf(
        string key, HoconField field, HoconObject defaults, ReadFindings findings) => new(
        field.Name, PathOf(key, field), ((HoconObject)field.Value).WithFallback(defaults), field.KeyOrigin, findings);

    private static string PathOf(string key, HoconField field) => HoconPath.Below($"router.{key}", field.Name);

    private static RouteOptions? ReadRoute(
        HoconField field, IReadOnlyList<RouteType> types, Dictionary<string, HoconObject> defaults,
        ReadFindings findings)
    {
        var typed = new SectionReader(
            field.Name, PathOf("routes", field), (HoconObject)field.Value, field.KeyOrigin, new ReadFindings());
        var name = typed.OptionalText("type", Reload.NewSessions) ?? "";
        if (types.FirstOrDefault(type => type.Name == name) is { } type)
        {
            var route = EntryOf("routes", field, defaults[name], findings);
            route.Has("type");
            return type.Read(route);
        }

        var names = types.Select(static type => type.Name).ToList();
        findings.Faults.Add(new ConfigurationFault(typed.OriginOf("type"), typed.PathOf("type"), name.Length == 0
            ? $"must be set, to one of {string.Join(", ", names)}"
            : $"'{name}' is none of {string.Join(", ", names)}{Nearest.Hint(name, names)}"));
        return null;
    }
}

/// <summary>Limits that many keys share.</summary>
internal static class Limit
{
    public static TimeSpan Tick { get; } = TimeSpan.FromMilliseconds(1);

    public static TimeSpan Second { get; } = TimeSpan.FromSeconds(1);

    public static TimeSpan Day { get; } = TimeSpan.FromDays(1);

    public static TimeSpan Year { get; } = TimeSpan.FromDays(365);
}

/// <param name="HoldCollectionsFrom">By how many a second the open sessions must grow for collections of the whole heap
/// to be held off; 0 for never.</param>
/// <param name="PreparedSessions">Over all loops.</param>
/// <param name="SpareSessions">Over all loops.</param>
/// <param name="YoungBudget">Bytes; null is "auto".</param>
internal sealed record HeapOptions(
    int HoldCollectionsFrom, int PreparedSessions, int SpareSessions, int? YoungBudget);

internal sealed record GuardOptions(bool AnswerPrivilegedPorts, IReadOnlySet<int> ResponderPorts);

/// <param name="Debounce">How long files must stay as they are before they are read, and how often they are looked
/// at.</param>
internal sealed record ReloadOptions(bool OnChange, TimeSpan Debounce);

using System.Net;
using System.Net.NetworkInformation;
using Router.Configuration.Hocon;
using Router.Configuration.Validators;

namespace Router.Configuration;

/// <summary>Loads, binds and validates the router's configuration; all faults come back at once.</summary>
internal static class ConfigurationLoader
{
    /// <summary>The name of the lowest layer, also in origins.</summary>
    public const string ReferenceName = "reference.conf";

    private const string DefaultName = "router.conf";

    /// <summary>How an origin begins that is no file but a setting of the command line.</summary>
    public const string SetPrefix = "(--set ";

    /// <summary>All rules but those of the types of routes.</summary>
    public static IReadOnlyList<IConfigurationRule> Rules { get; } =
    [
        new StraysRule(), new StraysPickRule(),
        new UnknownKeyRule(), new NameRule(), new ListenersExistRule(), new RouteExistsRule(), new RouteIsUsedRule(),
        new DuplicateBindRule(), new PoolDispatcherRule(), new OpenResponderRule(), new SessionSocketRule(),
        new BacklogGrantedRule(), new BufferGrantedRule(), new DescriptorsSufficeRule(), new SessionsEndRule(),
        new UnixListenerRule(), new AbstractNameRule(), new PreparedSessionsUsedRule(), new IdentityRule(),
        new ClusterTlsRule(), new ClusterDiscoveryRule(), new IdentityProofRule(), new UnprovedIdentityRule(),
        new LogSinksRule(), new AdminAccessRule(), new AccessFilterRule(),
    ];

    /// <summary>Merges reference.conf, the file and the sets, then resolves all substitutions at once.</summary>
    /// <param name="file">A HOCON file; null for the built-in router.conf.</param>
    /// <param name="sets">Each <c>path=value</c>, the value in HOCON; later ones win.</param>
    /// <param name="environment">Answers null for a variable that is not set.</param>
    /// <param name="system">What the system grants; null for this one.</param>
    public static LoadResult Load(
        IReadOnlyList<RouteType> types,
        string? file,
        IReadOnlyList<string> sets,
        Func<string, string?> environment,
        SystemLimits? system = null)
    {
        var loader = new HoconLoader();
        var result = Load(
            types,
            () => file is null
                ? HoconLoader.AsObject(loader.LoadText(ReadResource(DefaultName), DefaultName))
                : loader.LoadFileObject(file),
            file ?? DefaultName,
            sets,
            environment,
            LocalAddresses(),
            system ?? SystemLimits.Read());
        return result with { Files = loader.Files, Warnings = [.. loader.Warnings, .. result.Warnings] };
    }

    /// <summary>The same for text that is no file.</summary>
    internal static LoadResult LoadText(
        IReadOnlyList<RouteType> types, string text, IReadOnlyList<string> sets, Func<string, string?> environment,
        IReadOnlyCollection<IPAddress> localAddresses, string name = "(text)", SystemLimits? system = null) => Load(
            types,
            () => HoconLoader.AsObject(new HoconLoader().LoadText(text, name)),
            name,
            sets,
            environment,
            localAddresses,
            system ?? SystemLimits.Unknown);

    /// <summary>The text of a file in hocon/ that is compiled in.</summary>
    internal static string ReadResource(string name)
    {
        using var stream = typeof(ConfigurationLoader).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"resource {name} is not compiled in");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static LoadResult Load(
        IReadOnlyList<RouteType> types, Func<ObjectNode> readFile, string file, IReadOnlyList<string> sets,
        Func<string, string?> environment, IReadOnlyCollection<IPAddress> localAddresses, SystemLimits system)
    {
        var faults = new List<ConfigurationFault>();
        var layers = new List<ObjectNode>();
        Try(() => layers.Add(HoconLoader.AsObject(
            new HoconLoader().LoadText(ReadResource(ReferenceName), ReferenceName))));
        Try(() => layers.Add(readFile()));
        foreach (var set in sets)
        {
            Try(() => layers.Add(ParseSet(set)));
        }

        HoconObject? root = null;
        if (faults.Count == 0)
        {
            Try(() => root = HoconResolver.Resolve(layers, environment));
        }

        return root is null
            ? new LoadResult(null, null, Sorted(faults), [])
            : Bind(types, root, layers, new HoconOrigin(file, 1, 1), localAddresses, system);

        void Try(Action step)
        {
            try
            {
                step();
            }
            catch (HoconException e)
            {
                faults.Add(new ConfigurationFault(e.Origin, "", e.Reason));
            }
        }
    }

    /// <param name="start">The beginning of the user's file, for faults of what is not written there.</param>
    private static LoadResult Bind(
        IReadOnlyList<RouteType> types, HoconObject root, List<ObjectNode> layers, HoconOrigin start,
        IReadOnlyCollection<IPAddress> localAddresses, SystemLimits system)
    {
        var findings = new ReadFindings();
        root.TryGet("router", out var field);   // reference.conf has it
        if (findings.ObjectOf(field!, "router") is not { } section)
        {
            return new LoadResult(null, root, findings.Faults, []);
        }

        var router = new SectionReader("router", "router", section, field!.OriginOr(start), findings);
        var options = new RouterOptions(router, types, findings) { Akka = ReadAkka(root, findings) };
        var context = new RuleContext(options, findings.Sections, localAddresses, system);

        // What could not be read holds zero: a rule's opinion of it would be noise.
        var unread = findings.Faults.Select(f => f.Path).ToHashSet();
        var found = Rules.ToLookup(static rule => rule.Refuses, rule => rule.Check(context));
        var refused = found[true].Concat(options.Routes.Select(route => route.Check(context)));
        var faults = Sorted(findings.Faults.Concat(findings.OutOfLimits).Concat(Read(refused)));
        findings.Warnings.AddRange(RootKeys.Check(root, layers.Skip(1), router.Known));
        return faults.Count == 0
            ? new LoadResult(options, root, [], Sorted(findings.Warnings.Concat(Read(found[false]))))
            : new LoadResult(null, root, faults, Sorted(findings.Warnings));

        IEnumerable<ConfigurationFault> Read(IEnumerable<IEnumerable<ConfigurationFault>> found) =>
            found.SelectMany(static faults => faults).Where(fault => !unread.Contains(fault.Path));
    }

    /// <summary>Akka itself judges what stands under <c>akka</c>, as long as it is an object.</summary>
    private static HoconObject? ReadAkka(HoconObject root, ReadFindings findings) =>
        root.TryGet("akka", out var field) && field.Value.Type != HoconType.Null
        && findings.ObjectOf(field, "akka") is { Fields.Count: > 0 } akka
            ? akka
            : null;

    /// <summary>Sorts by place. What several listeners inherit from one place is one fault.</summary>
    private static List<ConfigurationFault> Sorted(IEnumerable<ConfigurationFault> faults) =>
        [.. faults
            .DistinctBy(f => (f.Origin, f.Message))
            .OrderBy(f => f.Origin.File, StringComparer.Ordinal)
            .ThenBy(f => f.Origin.Line)
            .ThenBy(f => f.Origin.Column)
            .ThenBy(f => f.Path, StringComparer.Ordinal)];

    private static ObjectNode ParseSet(string set)
    {
        var name = $"{SetPrefix}{set.Split('=')[0].Trim()})";
        return new HoconParser(new HoconLexer(set, name), new HoconLoader(), file: null).ParseAssignment();
    }

    private static List<IPAddress> LocalAddresses()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address)];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}

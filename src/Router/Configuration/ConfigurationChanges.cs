using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>A key whose value has changed.</summary>
/// <param name="Path">The whole path: <c>router.listeners.dns.idle-timeout</c>.</param>
/// <param name="Origin">Where the new value stands.</param>
internal sealed record KeyChange(string Path, Reload Reload, HoconOrigin Origin);

/// <summary>What differs between two configurations, by names and by keys. Immutable.</summary>
internal sealed class ConfigurationChanges
{
    private readonly List<KeyChange> _keys = [];
    private readonly HashSet<string> _listenersChanged = new(StringComparer.Ordinal);
    private readonly HashSet<string> _routesChanged = new(StringComparer.Ordinal);

    private ConfigurationChanges(RouterOptions from, RouterOptions to)
    {
        Compare(from.Section, to.Section);
        CompareAkka(from.Akka, to.Akka, to.Section.Origin);
        if (from.Cluster is { } member && to.Cluster is { } then)
        {
            Compare(member.Section, then.Section);
        }

        foreach (var (before, after) in Pairs(from.Listeners, to.Listeners, static listener => listener.Name))
        {
            if (Compare(before.Section, after.Section))
            {
                _listenersChanged.Add(after.Name);
            }
        }

        foreach (var (before, after) in Pairs(from.Routes, to.Routes, static route => route.Name))
        {
            if (before.Type != after.Type)
            {
                AddKey($"{after.Section.Path}.type", Reload.NewSessions, after.Section.Origin);
                _routesChanged.Add(after.Name);
            }
            else if (Compare(before.Section, after.Section))
            {
                _routesChanged.Add(after.Name);
            }
        }

        (ListenersAdded, ListenersRemoved) = Names(from.Listeners, to.Listeners, static listener => listener.Name);
        (RoutesAdded, RoutesRemoved) = Names(from.Routes, to.Routes, static route => route.Name);
        (UpstreamsAdded, UpstreamsRemoved) = Names(UpstreamsOf(from), UpstreamsOf(to), static name => name);
    }

    public IReadOnlyList<KeyChange> Keys => _keys;

    public IReadOnlyList<string> ListenersAdded { get; }

    public IReadOnlyList<string> ListenersRemoved { get; }

    public IReadOnlySet<string> ListenersChanged => _listenersChanged;

    public IReadOnlyList<string> RoutesAdded { get; }

    public IReadOnlyList<string> RoutesRemoved { get; }

    public IReadOnlySet<string> RoutesChanged => _routesChanged;

    /// <summary>As <c>ROUTE/HOST:PORT</c>.</summary>
    public IReadOnlyList<string> UpstreamsAdded { get; }

    public IReadOnlyList<string> UpstreamsRemoved { get; }

    /// <summary>Keys that changed and that nothing follows before the next start.</summary>
    public IEnumerable<KeyChange> NeedRestart => _keys.Where(static key => key.Reload == Reload.No);

    public static ConfigurationChanges Between(RouterOptions from, RouterOptions to) => new(from, to);

    private static IEnumerable<(T Before, T After)> Pairs<T>(
        IEnumerable<T> from, IEnumerable<T> to, Func<T, string> nameOf) =>
        from.Join(to, nameOf, nameOf, static (before, after) => (before, after), StringComparer.Ordinal);

    private static (IReadOnlyList<string> Added, IReadOnlyList<string> Removed) Names<T>(
        IEnumerable<T> from, IEnumerable<T> to, Func<T, string> nameOf)
    {
        var before = from.Select(nameOf).ToHashSet(StringComparer.Ordinal);
        var after = to.Select(nameOf).ToHashSet(StringComparer.Ordinal);
        return ([.. after.Except(before).Order()], [.. before.Except(after).Order()]);
    }

    private static IEnumerable<string> UpstreamsOf(RouterOptions options) =>
        from route in options.Routes
        from upstream in route.UpstreamNames
        select $"{route.Name}/{upstream}";

    /// <summary>An actor system is made once: whatever changes under <c>akka</c> waits for the next start.</summary>
    private void CompareAkka(HoconObject? from, HoconObject? to, HoconOrigin otherwise)
    {
        var before = LeavesOf(from);
        var after = LeavesOf(to);
        foreach (var leaf in after.Values)
        {
            if (!before.TryGetValue(leaf.Name, out var old) || old.Value.ToString() != leaf.Value.ToString())
            {
                AddKey(leaf.Name, Reload.No, leaf.KeyOrigin);
            }
        }

        foreach (var gone in before.Keys.Where(path => !after.ContainsKey(path)))
        {
            AddKey(gone, Reload.No, to?.Origin ?? otherwise);
        }
    }

    private static OrderedDictionary<string, HoconField> LeavesOf(HoconObject? akka)
    {
        var leaves = new OrderedDictionary<string, HoconField>(StringComparer.Ordinal);
        foreach (var leaf in akka?.Leaves("akka") ?? [])
        {
            leaves.Add(leaf.Name, leaf);
        }

        return leaves;
    }

    private bool Compare(SectionReader before, SectionReader after)
    {
        var values = before.Keys.ToDictionary(static key => key.Path, static key => key.Value, StringComparer.Ordinal);
        var changed = after.Keys
            .Where(key => !values.TryGetValue(key.Path, out var value) || !Equals(value, key.Value))
            .ToList();
        changed.ForEach(key => AddKey($"{after.Path}.{key.Path}", key.Reload, key.Origin));
        return changed.Count > 0;
    }

    private void AddKey(string path, Reload reload, HoconOrigin origin) =>
        _keys.Add(new KeyChange(path, reload, origin));
}

using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>Keys beside <c>router</c> and <c>akka</c> are the user's, for values that others refer to. One that nothing
/// refers to may be a slip.</summary>
internal static class RootKeys
{
    private static readonly string[] Ours = ["router", "akka"];

    /// <param name="root">All layers, resolved.</param>
    /// <param name="layers">The same before, without reference.conf.</param>
    /// <param name="routerKeys">The keys that <c>router</c> has.</param>
    public static IEnumerable<ConfigurationFault> Check(
        HoconObject root, IEnumerable<HoconNode> layers, IReadOnlySet<string> routerKeys)
    {
        var used = new HashSet<string>(Ours, StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            AddReferences(layer, used);
        }

        return from field in root.Fields
               where !used.Contains(field.Name)
               let message = Describe(field, root, routerKeys)
               where message is not null
               select new ConfigurationFault(field.KeyOrigin, HoconPath.Print([field.Name]), message);
    }

    private static string? Describe(HoconField field, HoconObject root, IReadOnlySet<string> routerKeys)
    {
        var name = field.Name;
        if (routerKeys.Contains(name))
        {
            return $"has no effect outside router {{ }}; write router.{name}";
        }

        if (Array.Exists(Ours, ours => name.StartsWith(ours + ".", StringComparison.Ordinal)))
        {
            return $"has no effect: in quotes it is one key; write {name} without them";
        }

        if (Nearest.Find(name, Ours) is { } near)
        {
            return $"has no effect; did you mean '{near}'?";
        }

        // A file may hold sections of other programs, but whoever sets a key means this one.
        return field.KeyOrigin.File.StartsWith(ConfigurationLoader.SetPrefix, StringComparison.Ordinal)
            ? $"has no effect: nothing refers to it{Nearest.Hint(name, OtherNames(root, name))}"
            : null;
    }

    private static IEnumerable<string> OtherNames(HoconObject root, string name) =>
        root.Fields.Select(static field => field.Name).Where(other => other != name);

    /// <summary>The first element of every path that a substitution names.</summary>
    private static void AddReferences(HoconNode node, HashSet<string> names)
    {
        IEnumerable<HoconNode> parts = node switch
        {
            ObjectNode all => all.Fields.SelectMany(static field => field.Value).Select(static entry => entry.Value),
            ArrayNode array => array.Elements,
            ConcatenationNode concatenation => concatenation.Pieces,
            _ => [],
        };
        foreach (var part in parts)
        {
            AddReferences(part, names);
        }

        // The part of "key += value" that names the key itself refers to nothing else.
        if (node is SubstitutionNode { ScopeOnly: false } substitution)
        {
            names.Add(substitution.Path[0]);
        }
    }
}

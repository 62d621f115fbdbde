namespace Router.Configuration.Hocon;

/// <summary>A value as written, before substitutions.</summary>
internal abstract class HoconNode(HoconOrigin origin)
{
    public HoconOrigin Origin { get; } = origin;
}

/// <param name="isBlank">Whether it is unquoted blanks between two values of one concatenation.</param>
internal sealed class ScalarNode(HoconScalar value, bool isBlank = false) : HoconNode(value.Origin)
{
    public HoconScalar Value { get; } = value;

    public bool IsBlank { get; } = isBlank;
}

internal sealed class ArrayNode(HoconOrigin origin, IReadOnlyList<HoconNode> elements) : HoconNode(origin)
{
    public IReadOnlyList<HoconNode> Elements { get; } = elements;
}

/// <summary>Two or more values written beside each other, at least one of them not plain text.</summary>
internal sealed class ConcatenationNode(HoconOrigin origin, IReadOnlyList<HoconNode> pieces) : HoconNode(origin)
{
    public IReadOnlyList<HoconNode> Pieces { get; } = pieces;
}

/// <summary><c>${path}</c>, <c>${?path}</c>, or the part of <c>key += value</c> that names the key itself.</summary>
internal sealed class SubstitutionNode(HoconOrigin origin, IReadOnlyList<string> path, bool optional)
    : HoconNode(origin)
{
    public IReadOnlyList<string> Path { get; } = path;

    public bool Optional { get; } = optional;

    /// <summary><c>${NAME[]}</c>: when the tree has no such path, the variables NAME_0, NAME_1 and so on.</summary>
    public bool List { get; init; }

    /// <summary>The include point of the file it is written in: looked up below it first, then from the root.</summary>
    public HoconPlace? Scope { get; init; }

    /// <summary>Never looked up outside <see cref="Scope"/>.</summary>
    public bool ScopeOnly { get; init; }

    public override string ToString() =>
        $"${{{(Optional ? "?" : "")}{HoconPath.Print(Path)}{(List ? "[]" : "")}}}";
}

/// <summary>A place in the merged tree: a path below the root, or below an object that is an array's element.</summary>
internal sealed record HoconPlace(ObjectNode? Anchor, IReadOnlyList<string> Path)
{
    public static HoconPlace Root { get; } = new(null, []);

    public HoconPlace Below(IEnumerable<string> path) => this with { Path = [.. Path, .. path] };
}

/// <summary>One assignment to a key.</summary>
internal sealed record FieldEntry(HoconNode Value, HoconOrigin KeyOrigin);

/// <summary>Fields in the order of first mention; per field all assignments that may matter, oldest first.</summary>
internal sealed class ObjectNode(HoconOrigin origin) : HoconNode(origin)
{
    private OrderedDictionary<string, List<FieldEntry>>? _fields;

    public IEnumerable<KeyValuePair<string, List<FieldEntry>>> Fields => _fields ?? [];

    /// <returns>A field's assignments, oldest first; null when there is none.</returns>
    public List<FieldEntry>? EntriesOrNull(string key) => _fields?.GetValueOrDefault(key);

    /// <returns>How many objects had to be made on the way.</returns>
    public int Set(IReadOnlyList<string> path, HoconNode value, HoconOrigin keyOrigin)
    {
        var target = this;
        var made = 0;
        for (var i = 0; i < path.Count - 1; i++)
        {
            var entries = target.EntriesOf(path[i]);
            if (entries.Count == 0 || entries[^1].Value is not ObjectNode child)
            {
                child = new ObjectNode(keyOrigin);
                entries.Add(new FieldEntry(child, keyOrigin));
                made++;
            }

            target = child;
        }

        target.Add(path[^1], new FieldEntry(value, keyOrigin));
        return made;
    }

    /// <summary>As if <paramref name="later"/>'s fields had been written here; it must not be used any more.</summary>
    public void Merge(ObjectNode later)
    {
        foreach (var (key, entries) in later.Fields)
        {
            foreach (var entry in entries)
            {
                Add(key, entry);
            }
        }
    }

    /// <summary>Neighbouring objects merge at once; a value that is surely no object hides all before it.</summary>
    private void Add(string key, FieldEntry entry)
    {
        var entries = EntriesOf(key);
        if (entry.Value is ObjectNode later && entries.Count > 0 && entries[^1].Value is ObjectNode earlier)
        {
            earlier.Merge(later);
            return;
        }

        if (entry.Value is ScalarNode or ArrayNode)
        {
            entries.Clear();
        }

        entries.Add(entry);
    }

    private List<FieldEntry> EntriesOf(string key)
    {
        _fields ??= [];
        if (!_fields.TryGetValue(key, out var entries))
        {
            _fields[key] = entries = new List<FieldEntry>(1);
        }

        return entries;
    }
}

namespace Router.Configuration.Hocon;

/// <summary>A value known only so far as to say of which kind it is; its parts are evaluated when asked for.</summary>
internal abstract class LazyValue;

internal sealed class LazyScalar(HoconScalar value) : LazyValue
{
    public HoconScalar Value { get; } = value;
}

/// <summary>Objects laid over each other, lowest first. Fields come into being when first looked at.</summary>
internal sealed class LazyObject(IReadOnlyList<ObjectNode> layers, bool coversOther) : LazyValue
{
    private readonly Dictionary<string, LazyField?> _fields = [];

    public IReadOnlyList<ObjectNode> Layers { get; } = layers;

    /// <summary>Something that is no object lies below: a later fallback must not shine through.</summary>
    public bool CoversOther { get; } = coversOther;

    public HoconObject? Resolved { get; set; }

    /// <summary>Being resolved in full: to meet it again means that it contains itself.</summary>
    public bool InProgress { get; set; }

    public LazyField? Field(string key)
    {
        if (!_fields.TryGetValue(key, out var field))
        {
            var entries = Layers.SelectMany(l => l.Entries(key)).ToArray();
            _fields[key] = field = entries.Length == 0 ? null : new LazyField(key, entries);
        }

        return field;
    }

    public IEnumerable<string> Keys() =>
        Layers.Count == 1 ? Layers[0].Keys : Layers.SelectMany(l => l.Keys).Distinct();

}

/// <summary>Tells objects of the same layers, so that each is one: only then a cycle is seen as one.</summary>
internal sealed class LayersComparer : IEqualityComparer<(IReadOnlyList<ObjectNode> Layers, bool CoversOther)>
{
    public bool Equals(
        (IReadOnlyList<ObjectNode> Layers, bool CoversOther) x, (IReadOnlyList<ObjectNode> Layers, bool CoversOther) y)
        => x.CoversOther == y.CoversOther && x.Layers.SequenceEqual(y.Layers);

    public int GetHashCode((IReadOnlyList<ObjectNode> Layers, bool CoversOther) key)
    {
        var hash = new HashCode();
        foreach (var layer in key.Layers)
        {
            hash.Add(layer);
        }

        return hash.ToHashCode();
    }
}

/// <summary>One key's merge stack: all that was assigned, oldest first.</summary>
internal sealed class LazyField(string name, IReadOnlyList<FieldEntry> entries)
{
    public string Name { get; } = name;

    public IReadOnlyList<FieldEntry> Entries { get; } = entries;

    /// <summary>The entry being evaluated, or -1. Who asks meanwhile sees only the entries below it.</summary>
    public int Evaluating { get; set; } = -1;

    /// <summary>Values by the number of entries, from the bottom, that they take into account.</summary>
    public Dictionary<int, LazyValue?> Values { get; } = [];

    /// <summary>Being resolved in full: a substitution below it that means the whole field would never end.</summary>
    public bool Resolving { get; set; }

    /// <summary>The uppermost entry that was not undefined when last evaluated: messages point at its key.</summary>
    public int Decider { get; set; }
}

internal sealed class LazyArray(IReadOnlyList<LazyElement> elements, HoconOrigin origin) : LazyValue
{
    public IReadOnlyList<LazyElement> Elements { get; } = elements;

    public HoconOrigin Origin { get; } = origin;

    public HoconArray? Resolved { get; set; }

    public bool InProgress { get; set; }
}

/// <summary>An array's element: a node, or a field of an object with numbers for keys.</summary>
internal sealed class LazyElement
{
    public HoconNode? Node { get; init; }

    public LazyField? Field { get; init; }

    /// <summary>For an array that is part of a join, the field that the join defines, and which entry of it:
    /// there <c>a = ${a} [${a}]</c> looks back in both places.</summary>
    public LazyField? Home { get; init; }

    public int HomeEntry { get; init; }

    public bool IsResolved { get; set; }

    public HoconValue? Resolved { get; set; }
}

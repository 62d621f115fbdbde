using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>A value known only so far as to say of which kind it is; its parts are evaluated when asked for.</summary>
internal abstract class LazyValue
{
    /// <summary>The leaves of a tree of pieces, in order. Without recursion: chains are longer than a thread's stack
    /// would bear.</summary>
    private protected static IEnumerable<T> Leaves<T>(T root, Func<T, T[]?> piecesOf)
    {
        var waiting = new Stack<T>([root]);
        while (waiting.TryPop(out var next))
        {
            if (piecesOf(next) is not { } pieces)
            {
                yield return next;
                continue;
            }

            for (var i = pieces.Length - 1; i >= 0; i--)
            {
                waiting.Push(pieces[i]);
            }
        }
    }
}

/// <summary>A scalar, or texts that are concatenated when first asked for: most steps of a long chain never
/// are.</summary>
internal sealed class LazyScalar : LazyValue
{
    private readonly HoconOrigin _origin;
    private HoconScalar? _value;
    private LazyScalar[]? _pieces;

    public LazyScalar(HoconScalar value)
    {
        _value = value;
        Length = value.Text.Length;
    }

    public LazyScalar(LazyScalar[] pieces, HoconOrigin origin)
    {
        _pieces = pieces;
        _origin = origin;
        Length = pieces.Sum(p => p.Length);
    }

    /// <summary>Characters.</summary>
    public long Length { get; }

    public bool IsWhole => _value is not null;

    public HoconScalar Value => _value ??= new HoconScalar(HoconType.String, Concatenate(), _origin);

    private string Concatenate()
    {
        var text = new StringBuilder((int)Length);
        foreach (var piece in Leaves(this, static piece => piece._pieces))
        {
            text.Append(piece.Value.Text);
        }

        _pieces = null;
        return text.ToString();
    }
}

/// <summary>An object or array: what it resolves to is kept, and to meet it while it is being resolved means that it
/// contains itself.</summary>
internal abstract class LazyContainer : LazyValue
{
    public HoconValue? Resolved { get; set; }

    public bool IsResolving { get; set; }
}

/// <summary>Objects laid over each other, lowest first. Fields come into being when first looked at.</summary>
internal sealed class LazyObject(IReadOnlyList<ObjectNode> layers, bool coversOther) : LazyContainer
{
    private Dictionary<string, LazyField>? _fields;
    private OrderedDictionary<string, List<FieldEntry>>? _merged;

    public IReadOnlyList<ObjectNode> Layers { get; } = layers;

    /// <summary>Whether a value that is no object lies below: fallbacks below that one do not count.</summary>
    public bool CoversOther { get; } = coversOther;

    /// <summary>The lowest of the objects it was merged of, all of whose layers are here.</summary>
    public LazyObject? Base { get; set; }

    /// <summary>All keys with the entries of all layers, lowest first.</summary>
    public IEnumerable<KeyValuePair<string, List<FieldEntry>>> Entries =>
        Layers.Count == 1 ? Layers[0].Fields : Merged;

    private OrderedDictionary<string, List<FieldEntry>> Merged => _merged ??= Merge();

    public LazyField? Field(string key)
    {
        if (_fields is not null && _fields.TryGetValue(key, out var field))
        {
            return field;
        }

        var entries = Layers.Count == 1 ? Layers[0].EntriesOrNull(key) : Merged.GetValueOrDefault(key);
        return entries is null ? null : (_fields ??= [])[key] = new LazyField(key, entries);
    }

    private OrderedDictionary<string, List<FieldEntry>> Merge()
    {
        var merged = new OrderedDictionary<string, List<FieldEntry>>();
        var own = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, entries) in Layers.SelectMany(l => l.Fields))
        {
            if (!merged.TryGetValue(key, out var all))
            {
                merged[key] = entries;
                continue;
            }

            // The layers' own lists are left as they are.
            if (own.Add(key))
            {
                merged[key] = all = [.. all];
            }

            all.AddRange(entries);
        }

        return merged;
    }
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
    private Dictionary<int, LazyValue?>? _values;
    private LazyValue? _whole;
    private bool _hasWhole;

    public string Name { get; } = name;

    public IReadOnlyList<FieldEntry> Entries { get; } = entries;

    /// <summary>The entry being evaluated, or -1. Who asks meanwhile sees only the entries below it.</summary>
    public int Evaluating { get; set; } = -1;

    /// <summary>Being resolved in full: a substitution below it that means the whole field would never end.</summary>
    public bool Resolving { get; set; }

    /// <summary>The uppermost entry that was not undefined when last evaluated: messages point at its key.</summary>
    public int DecidingEntry { get; set; }

    /// <summary>Its entries cannot be evaluated one by one from the lowest up.</summary>
    public bool NeedsRecursion { get; set; }

    /// <summary>The value of the lowest entries, if it was evaluated before.</summary>
    public bool TryGetValue(int count, out LazyValue? value)
    {
        if (count == Entries.Count)
        {
            value = _whole;
            return _hasWhole;
        }

        value = null;
        return _values is not null && _values.TryGetValue(count, out value);
    }

    public void Keep(int count, LazyValue? value)
    {
        if (count == Entries.Count)
        {
            (_whole, _hasWhole) = (value, true);
        }
        else
        {
            (_values ??= [])[count] = value;
        }
    }

    public void Forget() => (_values, _whole, _hasWhole) = (null, null, false);
}

/// <summary>An entry of a field that is under evaluation.</summary>
internal sealed record OpenEntry(LazyField Field, int Index);

/// <summary>Elements, or arrays that are concatenated when first asked for.</summary>
internal sealed class LazyArray : LazyContainer
{
    private LazyElement[]? _elements;
    private LazyArray[]? _parts;

    public LazyArray(LazyElement[] elements, HoconOrigin origin)
    {
        _elements = elements;
        Origin = origin;
        Count = elements.Length;
    }

    public LazyArray(LazyArray[] parts, HoconOrigin origin)
    {
        _parts = parts;
        Origin = origin;
        Count = parts.Sum(p => p.Count);
    }

    public HoconOrigin Origin { get; }

    public long Count { get; }

    public LazyElement[] Elements => _elements ??= Concatenate();

    /// <param name="entry">The entry that the array is part of; null for one by itself.</param>
    public static LazyArray Of(ArrayNode array, OpenEntry? entry) => new(
        [.. array.Elements.Select(e => new LazyElement
        {
            Node = e,
            Home = entry,
            IsResolved = e is ScalarNode,
            Resolved = (e as ScalarNode)?.Value,
        })],
        array.Origin);

    private LazyElement[] Concatenate()
    {
        LazyElement[] elements = [.. Leaves(this, static part => part._parts).SelectMany(static part => part.Elements)];
        _parts = null;
        return elements;
    }
}

/// <summary>An array's element: a node, or a field of an object with numbers for keys.</summary>
internal sealed class LazyElement
{
    public HoconNode? Node { get; init; }

    public LazyField? Field { get; init; }

    /// <summary>For an array that is a piece of a concatenation, the entry that it belongs to: in
    /// <c>a = ${a} [${a}]</c> both substitutions look back.</summary>
    public OpenEntry? Home { get; init; }

    public bool IsResolved { get; set; }

    public HoconValue? Resolved { get; set; }
}

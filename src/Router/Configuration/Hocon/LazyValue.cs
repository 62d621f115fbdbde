using System.Text;

namespace Router.Configuration.Hocon;

/// <summary>A value known only so far as to say of which kind it is; its parts are evaluated when asked for.</summary>
internal abstract class LazyValue;

/// <summary>A scalar, or text that is joined when first asked for: most steps of a long chain never are.</summary>
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

    public bool IsJoined => _value is not null;

    public HoconScalar Value => _value ??= new HoconScalar(HoconType.String, Join(), _origin);

    private string Join()
    {
        // A stack of our own: chains are longer than the thread's would bear.
        var text = new StringBuilder((int)Length);
        var waiting = new Stack<LazyScalar>([this]);
        while (waiting.TryPop(out var piece))
        {
            if (piece._value is { } value)
            {
                text.Append(value.Text);
                continue;
            }

            for (var i = piece._pieces!.Length - 1; i >= 0; i--)
            {
                waiting.Push(piece._pieces[i]);
            }
        }

        _pieces = null;
        return text.ToString();
    }
}

/// <summary>Objects laid over each other, lowest first. Fields come into being when first looked at.</summary>
internal sealed class LazyObject(IReadOnlyList<ObjectNode> layers, bool coversOther) : LazyValue
{
    private Dictionary<string, LazyField>? _fields;
    private OrderedDictionary<string, List<FieldEntry>>? _merged;

    public IReadOnlyList<ObjectNode> Layers { get; } = layers;

    /// <summary>Something that is no object lies below: a later fallback must not shine through.</summary>
    public bool CoversOther { get; } = coversOther;

    /// <summary>The lowest of the objects it was merged of, all of whose layers are here.</summary>
    public LazyObject? Base { get; set; }

    public HoconObject? Resolved { get; set; }

    /// <summary>Being resolved in full: to meet it again means that it contains itself.</summary>
    public bool InProgress { get; set; }

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
    public int Decider { get; set; }

    /// <summary>Its entries cannot be evaluated from the lowest up.</summary>
    public bool CannotClimb { get; set; }

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

/// <summary>Elements, or arrays that are joined when first asked for.</summary>
internal sealed class LazyArray : LazyValue
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

    public bool IsJoined => _elements is not null;

    public LazyElement[] Elements => _elements ??= Join();

    public HoconArray? Resolved { get; set; }

    public bool InProgress { get; set; }

    private LazyElement[] Join()
    {
        var elements = new List<LazyElement>((int)Count);
        var waiting = new Stack<LazyArray>([this]);
        while (waiting.TryPop(out var part))
        {
            if (part._elements is { } own)
            {
                elements.AddRange(own);
                continue;
            }

            for (var i = part._parts!.Length - 1; i >= 0; i--)
            {
                waiting.Push(part._parts[i]);
            }
        }

        _parts = null;
        return [.. elements];
    }
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

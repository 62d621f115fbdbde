using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Router.Configuration.Hocon;

internal enum HoconType
{
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// <summary>A resolved value: immutable, and safe to read from any thread.</summary>
internal abstract class HoconValue
{
    private protected HoconValue(HoconType type, HoconOrigin origin)
    {
        Type = type;
        Origin = origin;
    }

    public HoconType Type { get; }

    /// <summary>Where the value was written; for one that came by a substitution, where it was first written.</summary>
    public HoconOrigin Origin { get; }

    /// <summary>Nodes and characters below this value, as printed: shared parts count each time.</summary>
    internal long Weight { get; private protected init; }

    /// <summary>Containers inside each other below this value, itself included.</summary>
    internal int Depth { get; private protected init; }

    /// <summary>The type's name in messages: "an object", "null".</summary>
    internal string TypeName => Type switch
    {
        HoconType.Null => "null",
        HoconType.Boolean => "a boolean",
        HoconType.Number => "a number",
        HoconType.String => "text",
        HoconType.Array => "an array",
        _ => "an object",
    };

    public override string ToString() => HoconJson.Print(this, indented: false);
}

/// <summary>Text, number, boolean or null.</summary>
internal sealed class HoconScalar : HoconValue
{
    internal HoconScalar(HoconType type, string text, HoconOrigin origin) : base(type, origin)
    {
        Text = text;
        Weight = text.Length + 1;
    }

    /// <summary>As written: numbers keep their spelling, null is "null".</summary>
    public string Text { get; }
}

internal sealed class HoconArray : HoconValue
{
    internal HoconArray(IReadOnlyList<HoconValue> elements, HoconOrigin origin) : base(HoconType.Array, origin)
    {
        Elements = elements;
        Weight = 1 + elements.Sum(e => e.Weight);
        Depth = 1 + (elements.Count == 0 ? 0 : elements.Max(e => e.Depth));
    }

    public IReadOnlyList<HoconValue> Elements { get; }
}

/// <param name="Name">The key: one path element, dots and all.</param>
/// <param name="KeyOrigin">Where the key stands that gave the value.</param>
internal sealed record HoconField(string Name, HoconValue Value, HoconOrigin KeyOrigin);

internal sealed class HoconObject : HoconValue
{
    private readonly OrderedDictionary<string, HoconField> _fields;

    internal HoconObject(IReadOnlyCollection<HoconField> fields, HoconOrigin origin, bool ignoresFallbacks = false)
        : base(HoconType.Object, origin)
    {
        _fields = new OrderedDictionary<string, HoconField>(fields.Count);
        var depth = 0;
        long weight = 1;
        foreach (var field in fields)
        {
            _fields.Add(field.Name, field);
            weight += field.Name.Length + 1 + field.Value.Weight;
            depth = Math.Max(depth, field.Value.Depth);
        }

        Weight = weight;
        Depth = depth + 1;
        IgnoresFallbacks = ignoresFallbacks;
    }

    /// <summary>In the order of first mention.</summary>
    public IReadOnlyList<HoconField> Fields => _fields.Values;

    /// <summary>Whether it lies over a value that is no object: what lies below that value does not count.</summary>
    internal bool IgnoresFallbacks { get; }

    public bool TryGet(string name, [NotNullWhen(true)] out HoconField? field) => _fields.TryGetValue(name, out field);

    internal bool TryGet(IReadOnlyList<string> path, [NotNullWhen(true)] out HoconField? field)
    {
        field = null;
        var at = this;
        for (var i = 0; i < path.Count; i++)
        {
            if (at is null || !at._fields.TryGetValue(path[i], out field))
            {
                return false;
            }

            at = field.Value as HoconObject;
        }

        return field is not null;
    }

    /// <summary>Every value below this that is no object, or an empty one, with its whole path for a name.</summary>
    /// <param name="path">This object's own, as printed.</param>
    internal IEnumerable<HoconField> Leaves(string path)
    {
        foreach (var field in Fields)
        {
            var at = HoconPath.Below(path, field.Name);
            if (field.Value is HoconObject { Fields.Count: > 0 } inner)
            {
                foreach (var leaf in inner.Leaves(at))
                {
                    yield return leaf;
                }
            }
            else
            {
                yield return field with { Name = at };
            }
        }
    }

    /// <summary>The number a key stands for when its object is read as an array, or -1.</summary>
    internal static int ElementIndex(string key) =>
        int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;

    /// <summary>The same object with fallbacks again, where it was written over a null.</summary>
    internal HoconObject OverNull() => IgnoresFallbacks ? new HoconObject(Fields, Origin) : this;

    /// <summary>Makes an object of this one and what it lacks of <paramref name="fallback"/>.</summary>
    internal HoconObject WithFallback(HoconValue fallback)
    {
        if (IgnoresFallbacks)
        {
            return this;
        }

        if (fallback is not HoconObject below)
        {
            return new HoconObject(Fields, Origin, ignoresFallbacks: true);
        }

        var fields = new List<HoconField>(below.Fields.Count + Fields.Count);
        foreach (var field in below.Fields)
        {
            fields.Add(!TryGet(field.Name, out var own) ? field
                : own.Value is HoconObject upper ? own with { Value = upper.WithFallback(field.Value) } : own);
        }

        fields.AddRange(Fields.Where(own => !below.TryGet(own.Name, out _)));
        return new HoconObject(fields, Origin, below.IgnoresFallbacks);
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Router.Configuration.Hocon;

/// <summary>A resolved configuration, immutable and safe to read from any thread.</summary>
/// <remarks>
/// The readers are those of Akka.NET: a path that is not there gives the default. A value that is there but of
/// another type is refused with a <see cref="HoconException"/> that names the path, the place and the type found.
/// </remarks>
internal sealed class Config
{
    private static readonly HoconOrigin Nowhere = new("(empty)", 0, 0);

    private readonly ReadKeys _read;
    private readonly string[] _place;

    public Config(HoconObject root)
        : this(root, new ReadKeys(), [])
    {
    }

    private Config(HoconObject root, ReadKeys read, string[] place)
    {
        ArgumentNullException.ThrowIfNull(root);
        Root = root;
        _read = read;
        _place = place;
    }

    /// <summary>A configuration without keys.</summary>
    public static Config Empty { get; } = new(new HoconObject([], Nowhere));

    public HoconObject Root { get; }

    public bool IsEmpty => Root.Fields.Count == 0;

    /// <summary>
    /// The paths of values that no reader has asked for, neither of this configuration nor of one that
    /// <see cref="GetConfig"/> gave, each with its key's place; in the order of the file.
    /// </summary>
    /// <remarks>Mistyped keys are among them. <see cref="Root"/> may be looked at without reading anything.</remarks>
    public IReadOnlyList<KeyValuePair<string, HoconOrigin>> UnreadKeys => _read.Unread(Root, _place);

    /// <summary>Whether the path leads to a value, null included.</summary>
    public bool HasPath(string path) => TryGet(path, out _);

    /// <returns>The value, or null when the path is not there.</returns>
    public HoconValue? GetValue(string path) => TryGet(path, out var field) ? field.Value : null;

    /// <returns>Where the path's key stands, or null when the path is not there.</returns>
    public HoconOrigin? GetOrigin(string path) => TryGet(path, out var field) ? field.KeyOrigin : null;

    [return: NotNullIfNotNull(nameof(@default))]
    public string? GetString(string path, string? @default = null) =>
        TryGet(path, out var field) ? Scalar(path, field, "text").Text : @default;

    public bool GetBoolean(string path, bool @default = false) =>
        TryGet(path, out var field) ? ToBoolean(path, field) : @default;

    public int GetInt(string path, int @default = 0) =>
        TryGet(path, out var field) ? (int)ToInteger(path, field, int.MinValue, int.MaxValue) : @default;

    public long GetLong(string path, long @default = 0) =>
        TryGet(path, out var field) ? ToInteger(path, field, long.MinValue, long.MaxValue) : @default;

    public double GetDouble(string path, double @default = 0)
    {
        if (!TryGet(path, out var field))
        {
            return @default;
        }

        var text = Scalar(path, field, "a number").Text;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Refuse(path, field, $"'{text}' is not a number");
    }

    /// <param name="path">Names the key.</param>
    /// <param name="default">Null stands for zero.</param>
    /// <param name="allowInfinite">Whether "infinite" is legal, as <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    public TimeSpan GetTimeSpan(string path, TimeSpan? @default = null, bool allowInfinite = true)
    {
        if (!TryGet(path, out var field))
        {
            return @default ?? TimeSpan.Zero;
        }

        var text = Scalar(path, field, "a duration").Text;
        if (text == "infinite")
        {
            return allowInfinite ? Timeout.InfiniteTimeSpan : throw Refuse(path, field, "it cannot be infinite");
        }

        return HoconUnits.ParseDuration(text, out var reason) ?? throw Refuse(path, field, reason!);
    }

    /// <returns>Bytes; the default, or null, when the path is not there.</returns>
    [return: NotNullIfNotNull(nameof(@default))]
    public long? GetByteSize(string path, long? @default = null)
    {
        if (!TryGet(path, out var field))
        {
            return @default;
        }

        return HoconUnits.ParseSize(Scalar(path, field, "a size").Text, out var reason)
            ?? throw Refuse(path, field, reason!);
    }

    /// <returns>The elements, each as text; none when the path is not there.</returns>
    public IList<string> GetStringList(string path)
    {
        if (!TryGet(path, out var field))
        {
            return [];
        }

        var elements = Elements(field.Value)
            ?? throw Refuse(path, field, $"a list is wanted, not {field.Value.TypeName}");
        return [.. elements.Select((e, i) => Scalar($"{path}[{i}]", field with { Value = e }, "text").Text)];
    }

    /// <returns>The object at the path as a configuration of its own, or null when the path is not there.</returns>
    public Config? GetConfig(string path)
    {
        if (!Root.TryGet(HoconPath.Parse(path), out var field))
        {
            return null;
        }

        return field.Value is HoconObject value
            ? new Config(value, _read, [.. _place, .. HoconPath.Parse(path)])
            : throw Refuse(path, field, $"an object is wanted, not {field.Value.TypeName}");
    }

    /// <summary>This configuration with what it lacks taken from the other; both stay as they are.</summary>
    public Config WithFallback(Config? fallback) =>
        fallback is null ? this : new Config(Root.WithFallback(fallback.Root));

    /// <summary>The fields of the root, in the order of first mention.</summary>
    public IEnumerable<KeyValuePair<string, HoconValue>> AsEnumerable() =>
        Root.Fields.Select(f => KeyValuePair.Create(f.Name, f.Value));

    public override string ToString() => HoconJson.Print(Root);

    /// <summary>An array's elements, or the values of an object with numbers for keys in order; else null.</summary>
    internal static IReadOnlyList<HoconValue>? Elements(HoconValue value)
    {
        if (value is HoconArray array)
        {
            return array.Elements;
        }

        if (value is not HoconObject numbered)
        {
            return null;
        }

        var elements = numbered.Fields
            .Where(f => HoconObject.ElementIndex(f.Name) >= 0)
            .OrderBy(f => HoconObject.ElementIndex(f.Name))
            .Select(f => f.Value)
            .ToArray();
        return elements.Length == 0 ? null : elements;
    }

    private static bool ToBoolean(string path, HoconField field)
    {
        var text = Scalar(path, field, "a boolean").Text;
        return text switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => throw Refuse(path, field, $"'{text}' is not a boolean (true, yes, on, false, no, off)"),
        };
    }

    private static long ToInteger(string path, HoconField field, long min, long max)
    {
        var text = Scalar(path, field, "a whole number").Text;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint
            | NumberStyles.AllowExponent;
        if (!decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out var number)
            || number != decimal.Truncate(number))
        {
            throw Refuse(path, field, $"'{text}' is not a whole number");
        }

        return number >= min && number <= max
            ? (long)number
            : throw Refuse(path, field, $"{text} is not within {min} to {max}");
    }

    private static HoconScalar Scalar(string path, HoconField field, string wanted) =>
        field.Value is HoconScalar scalar && scalar.Type != HoconType.Null
            ? scalar
            : throw Refuse(path, field, $"{wanted} is wanted, not {field.Value.TypeName}");

    private static HoconException Refuse(string path, HoconField field, string reason) =>
        new(field.KeyOrigin, $"{path}: {reason}");

    private bool TryGet(string path, [NotNullWhen(true)] out HoconField? field)
    {
        var elements = HoconPath.Parse(path);
        if (!Root.TryGet(elements, out field))
        {
            return false;
        }

        _read.Add([.. _place, .. elements]);
        return true;
    }

    /// <summary>What was asked for; shared by all configurations that came of one. Safe from any thread.</summary>
    private sealed class ReadKeys
    {
        private readonly ConcurrentDictionary<string, bool> _paths = new(StringComparer.Ordinal);

        public void Add(IEnumerable<string> path) => _paths.TryAdd(HoconPath.Print(path), true);

        /// <remarks>An object that was read as a whole has all its keys read.</remarks>
        public List<KeyValuePair<string, HoconOrigin>> Unread(HoconObject root, IReadOnlyList<string> place)
        {
            var unread = new List<KeyValuePair<string, HoconOrigin>>();
            foreach (var field in root.Fields)
            {
                string[] path = [.. place, field.Name];
                var name = HoconPath.Print(path);
                if (_paths.ContainsKey(name))
                {
                    continue;
                }

                if (field.Value is HoconObject { Fields.Count: > 0 } inner)
                {
                    unread.AddRange(Unread(inner, path));
                }
                else
                {
                    unread.Add(KeyValuePair.Create(name, field.KeyOrigin));
                }
            }

            return unread;
        }
    }
}

/// <summary>Makes configurations from text.</summary>
internal static class ConfigurationFactory
{
    public static Config Empty => Config.Empty;

    /// <summary>Parses and resolves HOCON; substitutions fall back to the process's environment.</summary>
    /// <exception cref="HoconException">The text is refused; the message says where and why.</exception>
    public static Config ParseString(string hocon) => ParseString(hocon, Environment.GetEnvironmentVariable);

    /// <summary>The same with an environment of the caller's.</summary>
    internal static Config ParseString(string hocon, Func<string, string?> environment, string name = "(text)")
    {
        ArgumentNullException.ThrowIfNull(hocon);
        var root = HoconLoader.AsObject(new HoconLoader().LoadText(hocon, name));
        return new Config(HoconResolver.Resolve([root], environment));
    }

    /// <summary>A file, and what it includes.</summary>
    internal static Config ParseFile(string file, Func<string, string?> environment) =>
        new(HoconResolver.Resolve([new HoconLoader().LoadFileObject(file)], environment));
}

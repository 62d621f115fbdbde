using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>Reads one object's keys as types. A key of the wrong type is a fault; reading goes on.</summary>
/// <remarks>Null counts as not there, which is how reference.conf writes "no default".</remarks>
internal sealed class SectionReader
{
    private readonly Config _config;
    private readonly HashSet<string> _known = [];
    private readonly ReadLog _log;

    public SectionReader(HoconObject section, string path, HoconOrigin origin, ReadLog log)
    {
        _config = new Config(section);
        Section = section;
        Path = path;
        Origin = origin;
        _log = log;
        log.Sections.Add(this);
    }

    public HoconObject Section { get; }

    /// <summary>The object's own path, for messages.</summary>
    public string Path { get; }

    /// <summary>Where the object's key stands.</summary>
    public HoconOrigin Origin { get; }

    /// <summary>Every key that was asked for.</summary>
    public IReadOnlySet<string> Known => _known;

    public int Int(string key) => Read(key, c => c.GetInt(Quote(key)));

    public bool Bool(string key) => Read(key, c => c.GetBoolean(Quote(key)));

    public TimeSpan Duration(string key, bool allowInfinite = false) =>
        Read(key, c => c.GetTimeSpan(Quote(key), allowInfinite: allowInfinite));

    /// <summary>Bytes that fit an int: no buffer of ours is larger.</summary>
    public int Size(string key) => Read(key, c =>
    {
        var bytes = c.GetByteSize(Quote(key))!.Value;
        return bytes <= int.MaxValue ? (int)bytes : throw Refuse(key, "a size here is at most 2 GiB - 1");
    });

    /// <summary>Bytes of what is no buffer of ours.</summary>
    public long LongSize(string key) => Read(key, c => c.GetByteSize(Quote(key))!.Value);

    public string Text(string key) => Read(key, c => c.GetString(Quote(key))) ?? "";

    public string? OptionalText(string key) => Has(key) ? Text(key) : null;

    /// <summary>One of several words.</summary>
    public T Choice<T>(string key, params (string Word, T Value)[] choices) => Read(key, c =>
    {
        var word = c.GetString(Quote(key));
        foreach (var choice in choices)
        {
            if (choice.Word == word)
            {
                return choice.Value;
            }
        }

        var words = choices.Select(w => w.Word).ToList();
        throw Refuse(key, $"'{word}' is none of {string.Join(", ", words)}{Nearest.Hint(word!, words)}");
    })!;

    /// <summary>A list, or one value alone; each with its place.</summary>
    public IReadOnlyList<(string Text, HoconOrigin Origin)> Texts(string key, bool atLeastOne = false) => Read(key, c =>
    {
        var value = c.GetValue(Quote(key))!;
        var elements = Config.Elements(value) ?? [value];
        if (atLeastOne && elements.Count == 0)
        {
            throw Refuse(key, "at least one must be given");
        }

        return elements.Select((e, i) => e is HoconScalar { Type: not HoconType.Null } scalar
            ? (scalar.Text, scalar.Origin)
            : throw Refuse(key, $"element {i} is {e.TypeName}; text is wanted")).ToArray();
    }) ?? [];

    public SectionReader Child(string key) => new(Object(key), PathOf(key), OriginOf(key), _log);

    /// <summary>The object at the key, whose own keys are names and not read by this reader.</summary>
    public HoconObject Object(string key) =>
        Read(key, c => c.GetConfig(Quote(key))?.Root) ?? new HoconObject([], Origin);

    public bool Has(string key)
    {
        _known.Add(key);
        return Section.TryGet(key, out var field) && field.Value.Type != HoconType.Null;
    }

    public string PathOf(string key) => $"{Path}.{HoconPath.Print([key])}";

    public HoconOrigin OriginOf(string key) => Section.TryGet(key, out var field) ? field.KeyOrigin : Origin;

    public void Fault(string key, string message) => Fault(OriginOf(key), key, message);

    public void Fault(HoconOrigin origin, string key, string message) =>
        _log.Faults.Add(new ConfigurationFault(origin, PathOf(key), message));

    private T? Read<T>(string key, Func<Config, T> read)
    {
        if (!Has(key))
        {
            // A null of reference.conf only says that there is no default.
            var isNull = Section.TryGet(key, out var field)
                && field.KeyOrigin.File != RouterConfiguration.ReferenceName;
            Fault(isNull ? field!.KeyOrigin : Origin, key, isNull ? "must be set, not null" : "must be set");
            return default;
        }

        try
        {
            return read(_config);
        }
        catch (HoconException e)
        {
            var prefix = Quote(key) + ": ";
            var reason = e.Reason.StartsWith(prefix, StringComparison.Ordinal) ? e.Reason[prefix.Length..] : e.Reason;
            Fault(e.Origin, key, reason);
            return default;
        }
    }

    private HoconException Refuse(string key, string reason) => new(OriginOf(key), reason);

    private static string Quote(string key) => HoconPath.Print([key]);
}

/// <summary>What was read while binding, and what was wrong with it.</summary>
internal sealed class ReadLog
{
    public List<SectionReader> Sections { get; } = [];

    public List<ConfigurationFault> Faults { get; } = [];
}

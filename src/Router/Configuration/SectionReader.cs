using Router.Configuration.Hocon;
using Router.Diagnostics;

namespace Router.Configuration;

/// <summary>Reads the keys of a listener, of a route or of the router itself. Each call declares one key: its name, its
/// type, its limits and what a reload does when it has changed.</summary>
/// <remarks>
/// A value of another type, or beyond its limits, is a fault that names its place; reading goes on, and all faults are
/// reported together. A key that nobody has declared is a fault too. Null counts as not there, which is how
/// reference.conf writes "no default".
/// </remarks>
public sealed class SectionReader
{
    private static readonly string[] Units = ["", "KiB", "MiB", "GiB", "TiB"];

    private readonly Config _config;
    private readonly HashSet<string> _known = [];
    private readonly SectionReader _entry;
    private readonly string _prefix = "";
    private readonly List<DeclaredKey> _keys = [];
    private readonly ReadLog _log;

    internal SectionReader(string name, string path, HoconObject section, HoconOrigin origin, ReadLog log)
    {
        (Name, Path, Section, Origin, _log, _entry) = (name, path, section, origin, log, this);
        _config = new Config(section);
        log.Sections.Add(this);
    }

    private SectionReader(SectionReader parent, string key)
        : this(key, parent.PathOf(key), parent.Object(key), parent.OriginOf(key), parent._log) =>
        (_entry, _prefix) = (parent._entry, $"{parent._prefix}{key}.");

    /// <summary>Of the listener or route.</summary>
    public string Name { get; }

    /// <summary>The object's own path, for messages.</summary>
    internal string Path { get; }

    /// <summary>As read, with what it inherits.</summary>
    internal HoconObject Section { get; }

    /// <summary>Where the object's key stands.</summary>
    internal HoconOrigin Origin { get; }

    /// <summary>Every key that was asked for.</summary>
    internal IReadOnlySet<string> Known => _known;

    /// <summary>The keys of the entry, those of its inner objects included, as they were declared.</summary>
    internal IReadOnlyList<DeclaredKey> Keys => _keys;

    /// <summary>A whole number.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="min">The smallest.</param>
    /// <param name="max">The largest.</param>
    /// <param name="reload">What a reload does with it.</param>
    /// <param name="orElse">Its default; null for a key that must be set.</param>
    public int Int(string key, int min, int max, Reload reload, int? orElse = null) =>
        Within(key, reload, orElse, min, max, c => c.GetInt(Quote(key)), static number => $"{number}");

    /// <summary>A size in bytes.</summary>
    /// <inheritdoc cref="Int" path="/param"/>
    public int Size(string key, long min, long max, Reload reload, int? orElse = null) =>
        (int)Within(key, reload, orElse, min, max, c =>
        {
            var bytes = c.GetByteSize(Quote(key))!.Value;
            return bytes <= int.MaxValue ? bytes : throw Refuse(key, "a size here is at most 2 GiB - 1");
        }, SizeText);

    /// <summary>A time; <see cref="Timeout.InfiniteTimeSpan"/> for "infinite".</summary>
    /// <inheritdoc cref="Int" path="/param"/>
    /// <param name="orInfinite">Whether it may be infinite.</param>
    public TimeSpan Duration(
        string key, TimeSpan min, TimeSpan max, Reload reload, TimeSpan? orElse = null, bool orInfinite = false) =>
        Within(
            key, reload, orElse, min, max, c => c.GetTimeSpan(Quote(key), allowInfinite: orInfinite), DurationText);

    /// <summary>On or off.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="reload">What a reload does with it.</param>
    /// <param name="orElse">Its default; null for a key that must be set.</param>
    public bool Bool(string key, Reload reload, bool? orElse = null) =>
        Declare(key, reload, orElse is { } value && !Has(key) ? value : Read(key, c => c.GetBoolean(Quote(key))));

    /// <summary>A text that must be set.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="reload">What a reload does with it.</param>
    public string Text(string key, Reload reload) => Declare(key, reload, TextAt(key));

    /// <summary>A text, or null.</summary>
    /// <inheritdoc cref="Text" path="/param"/>
    public string? OptionalText(string key, Reload reload) => Declare(key, reload, Has(key) ? TextAt(key) : null);

    /// <summary>One of several words, the names of an enumeration: <c>least-sessions</c> for LeastSessions.</summary>
    /// <inheritdoc cref="Bool" path="/param"/>
    public T Choice<T>(string key, Reload reload, T? orElse = null)
        where T : struct, Enum =>
        orElse is { } value && !Has(key)
            ? Declare(key, reload, value)
            : Choice(key, reload, [.. Enum.GetValues<T>().Select(static value => (Kebab.From($"{value}"), value))]);

    /// <summary>A fault of a key's value, which only who reads it can see.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="message">What is wrong and what to do.</param>
    public void Fault(string key, string message) => Fault(OriginOf(key), key, message);

    /// <summary>The inner object at a key.</summary>
    internal SectionReader Child(string key) => new(this, key);

    /// <summary>The object at the key, whose own keys are names and not read by this reader.</summary>
    internal HoconObject Object(string key) =>
        Read(key, c => c.GetConfig(Quote(key))?.Root) ?? new HoconObject([], Origin);

    internal T Choice<T>(string key, Reload reload, params (string Word, T Value)[] choices) =>
        Declare(key, reload, Read(key, c =>
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
        })!);

    /// <summary>A text of which two spellings may be one value: that is what is read, and what a reload
    /// compares.</summary>
    internal T Parsed<T>(string key, Reload reload, Func<string, T> parse) =>
        Declare(key, reload, parse(TextAt(key)));

    /// <summary>The same for a text that may be null.</summary>
    internal string? OptionalText(string key, Reload reload, Func<string, string> spell) =>
        Declare(key, reload, Has(key) ? spell(TextAt(key)) : null);

    /// <summary>A whole number, or null for a word.</summary>
    internal int? IntOr(string word, int standsFor, string key, int min, int max, Reload reload)
    {
        if (!Has(key) || TextAt(key) != word)
        {
            return Int(key, min, max, reload);
        }

        Declare(key, reload, standsFor, $"{min} to {max}");
        return null;
    }

    /// <summary>A size of what is no buffer of ours, and may be larger than one.</summary>
    internal long LongSize(string key, long min, long max, Reload reload) =>
        Within(key, reload, null, min, max, c => c.GetByteSize(Quote(key))!.Value, SizeText);

    /// <summary>A time in milliseconds, at least 1; 0 for "infinite" and for none.</summary>
    internal int Milliseconds(
        string key, TimeSpan min, TimeSpan max, Reload reload, TimeSpan? orElse = null, bool orInfinite = false)
    {
        var time = Duration(key, min, max, reload, orElse, orInfinite);
        return time <= TimeSpan.Zero ? 0 : (int)Math.Clamp(time.TotalMilliseconds, 1, int.MaxValue);
    }

    /// <summary>A list, or one value alone. What cannot be parsed is a fault and left out.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="reload">What a reload does with it; values are compared by their text.</param>
    /// <param name="parse">Makes a value of the text at a place, or says why not.</param>
    /// <param name="optional">Whether null stands for none.</param>
    /// <param name="atLeastOne">Whether an empty list is a fault.</param>
    internal List<T> List<T>(
        string key, Reload reload, ParseElement<T> parse, bool optional = false, bool atLeastOne = false)
    {
        List<T> values = [.. Elements(key, parse, optional && !Has(key) ? [] : Texts(key, atLeastOne))];
        Declare(key, reload, string.Join('\0', values));
        return values;
    }

    /// <summary>A list whose order says nothing.</summary>
    internal IReadOnlySet<T> Set<T>(string key, Reload reload, ParseElement<T> parse)
    {
        var values = new SortedSet<T>(Elements(key, parse, Texts(key, atLeastOne: false)));
        Declare(key, reload, string.Join('\0', values));
        return values;
    }

    /// <summary>A list of any texts.</summary>
    internal List<string> Words(string key, Reload reload, bool optional = false) => List(
        key,
        reload,
        static (string text, HoconOrigin _, out string? word) =>
        {
            word = text;
            return null;
        },
        optional);

    /// <summary>Whether the key has a value; it counts as known from then on.</summary>
    internal bool Has(string key)
    {
        _known.Add(key);
        return Section.TryGet(key, out var field) && field.Value.Type != HoconType.Null;
    }

    internal string PathOf(string key) => $"{Path}.{HoconPath.Print([key])}";

    internal HoconOrigin OriginOf(string key) => Section.TryGet(key, out var field) ? field.KeyOrigin : Origin;

    /// <summary>A fault at the place of a key, also of one of an inner object: <c>session.dispatcher</c>.</summary>
    internal ConfigurationFault FaultAt(string key, string message) => new(
        Find(key) is { } field ? field.KeyOrigin : Origin,
        $"{Path}.{key}",
        message);

    /// <summary>The key as it was written, or inherited; null where it has no value.</summary>
    internal HoconField? Find(string key) =>
        Section.TryGet(key.Split('.'), out var field) && field.Value.Type != HoconType.Null ? field : null;

    private void Fault(HoconOrigin origin, string key, string message) =>
        _log.Faults.Add(new ConfigurationFault(origin, PathOf(key), message));

    private string TextAt(string key) => Read(key, c => c.GetString(Quote(key))) ?? "";

    private (string Text, HoconOrigin Origin)[] Texts(string key, bool atLeastOne) => Read(key, c =>
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

    private IEnumerable<T> Elements<T>(
        string key, ParseElement<T> parse, IEnumerable<(string Text, HoconOrigin Origin)> texts)
    {
        foreach (var (text, origin) in texts)
        {
            if (parse(text, origin, out var value) is { } fault)
            {
                Fault(origin, key, fault);
            }
            else
            {
                yield return value!;
            }
        }
    }

    private T Within<T>(
        string key, Reload reload, T? orElse, T min, T max, Func<Config, T> read, Func<T, string> print)
        where T : struct, IComparable<T>
    {
        var (faults, isThere) = (_log.Faults.Count, Has(key));
        var value = orElse is { } otherwise && !isThere ? otherwise : Read(key, read);
        var isInfinite = value is TimeSpan time && time == Timeout.InfiniteTimeSpan;
        if (isThere && faults == _log.Faults.Count && !isInfinite
            && (value.CompareTo(min) < 0 || value.CompareTo(max) > 0))
        {
            var message = $"{Print(value)} is not within {Print(min)} to {Print(max)}";
            _log.OutOfLimits.Add(new ConfigurationFault(OriginOf(key), PathOf(key), message));
        }

        return Declare(key, reload, value, $"{print(min)} to {print(max)}");
    }

    private T Declare<T>(string key, Reload reload, T value, string limits = "")
    {
        var origin = Has(key) ? OriginOf(key) : _entry.Origin;
        _entry._keys.Add(new DeclaredKey($"{_prefix}{key}", limits, reload, value, origin));
        return value;
    }

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

    private static string Print<T>(T value) => value switch
    {
        TimeSpan time when time.Ticks % TimeSpan.TicksPerDay == 0 && time != TimeSpan.Zero => $"{time.TotalDays}d",
        TimeSpan time when time.Ticks % TimeSpan.TicksPerSecond == 0 => $"{time.TotalSeconds}s",
        TimeSpan time => $"{time.TotalMilliseconds}ms",
        _ => $"{value}",
    };

    /// <summary>In the largest unit that is whole.</summary>
    private static string DurationText(TimeSpan time) =>
        time >= TimeSpan.FromHours(1) && time < TimeSpan.FromDays(1) ? $"{time.TotalHours}h"
        : time >= TimeSpan.FromMinutes(1) && time < TimeSpan.FromHours(1) ? $"{time.TotalMinutes}m"
        : Print(time);

    private static string SizeText(long bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && bytes % 1024 == 0)
        {
            (bytes, unit) = (bytes / 1024, unit + 1);
        }

        return $"{bytes} {Units[unit]}".Trim();
    }
}

/// <summary>Makes a value of one element of a list.</summary>
/// <param name="text">The element.</param>
/// <param name="origin">Where it stands.</param>
/// <param name="value">Meaningless if there is a fault.</param>
/// <returns>Why it is refused, or null.</returns>
internal delegate string? ParseElement<T>(string text, HoconOrigin origin, out T? value);

/// <summary>What was read, and what was wrong with it.</summary>
internal sealed class ReadLog
{
    public List<SectionReader> Sections { get; } = [];

    /// <summary>Of values that could not be read: they hold zero.</summary>
    public List<ConfigurationFault> Faults { get; } = [];

    /// <summary>Of values that were read.</summary>
    public List<ConfigurationFault> OutOfLimits { get; } = [];
}

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

    private readonly HashSet<string> _known = [];
    private readonly SectionReader _entry;
    private readonly string _prefix = "";
    private readonly List<DeclaredKey> _keys = [];
    private readonly ReadFindings _findings;

    internal SectionReader(string name, string path, HoconObject section, HoconOrigin origin, ReadFindings findings)
    {
        (Name, Path, Section, Origin, _findings, _entry) = (name, path, section, origin, findings, this);
        findings.Sections.Add(this);
    }

    private SectionReader(SectionReader parent, string key)
        : this(key, parent.PathOf(key), parent.Object(key), parent.OriginOf(key), parent._findings) =>
        (_entry, _prefix) = (parent._entry, $"{parent._prefix}{key}.");

    /// <summary>The name of the listener or route.</summary>
    public string Name { get; }

    internal string Path { get; }

    /// <summary>As read, with what it inherits.</summary>
    internal HoconObject Section { get; }

    internal HoconOrigin Origin { get; }

    /// <summary>Every key that was asked for.</summary>
    internal IReadOnlySet<string> Known => _known;

    /// <summary>The keys of the entry, those of its inner objects included, as they were declared.</summary>
    internal IReadOnlyList<DeclaredKey> Keys => _keys;

    /// <summary>Reads a whole number.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="min">The smallest legal value.</param>
    /// <param name="max">The largest legal value.</param>
    /// <param name="reload">What a reload does with another value.</param>
    /// <param name="orElse">Its default; null for a key that must be set.</param>
    public int Int(string key, int min, int max, Reload reload, int? orElse = null) =>
        Within(key, reload, orElse, min, max, HoconReader.ReadInteger, static number => $"{number}");

    /// <summary>Reads a size in bytes.</summary>
    /// <inheritdoc cref="Int" path="/param"/>
    public int Size(string key, long min, long max, Reload reload, int? orElse = null) =>
        (int)Within(
            key, reload, orElse, min, max,
            static field => field.ReadSize() is <= int.MaxValue and var bytes
                ? bytes
                : throw field.Refuse("a size here is at most 2 GiB - 1"),
            SizeText);

    /// <summary>Reads a duration; <see cref="Timeout.InfiniteTimeSpan"/> for "infinite".</summary>
    /// <inheritdoc cref="Int" path="/param"/>
    /// <param name="orInfinite">Whether it may be infinite.</param>
    public TimeSpan Duration(
        string key, TimeSpan min, TimeSpan max, Reload reload, TimeSpan? orElse = null, bool orInfinite = false) =>
        Within(
            key, reload, orElse, min, max,
            field =>
            {
                WarnOfNoUnit(key, field.ReadText("a duration"));
                return field.ReadDuration(orInfinite);
            },
            DurationText);

    /// <summary>Reads a boolean.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="reload">What a reload does with another value.</param>
    /// <param name="orElse">Its default; null for a key that must be set.</param>
    public bool Bool(string key, Reload reload, bool? orElse = null) =>
        Declare(key, reload, orElse is { } value && !Has(key) ? value : Read(key, HoconReader.ReadBoolean));

    /// <summary>Reads a text that must be set.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="reload">What a reload does with another value.</param>
    public string Text(string key, Reload reload) => Declare(key, reload, TextAt(key));

    /// <summary>Reads a text that may be left out, as null.</summary>
    /// <inheritdoc cref="Text" path="/param"/>
    public string? OptionalText(string key, Reload reload) => Declare(key, reload, Has(key) ? TextAt(key) : null);

    /// <summary>Reads one of the names of an enumeration: <c>least-sessions</c> for LeastSessions.</summary>
    /// <inheritdoc cref="Bool" path="/param"/>
    public T Choice<T>(string key, Reload reload, T? orElse = null)
        where T : struct, Enum =>
        orElse is { } value && !Has(key)
            ? Declare(key, reload, value)
            : Choice(key, reload, [.. Enum.GetValues<T>().Select(static value => (Kebab.From($"{value}"), value))]);

    /// <summary>Reports what is wrong with a value, where only the caller can tell.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="message">What is wrong and what to do.</param>
    public void Fault(string key, string message) => Fault(OriginOf(key), key, message);

    internal SectionReader Child(string key) => new(this, key);

    /// <summary>Whether a section that may be left out is there. A reload compares that.</summary>
    internal bool IsSet(string key, Reload reload) => Declare(key, reload, Has(key));

    /// <summary>Reads an object whose keys are names and not declared.</summary>
    internal HoconObject Object(string key) =>
        Read(key, HoconReader.ReadObject) ?? new HoconObject([], Origin);

    internal T Choice<T>(string key, Reload reload, params (string Word, T Value)[] choices) =>
        Declare(key, reload, Read(key, field =>
        {
            var word = field.ReadText();
            var words = choices.Select(static choice => choice.Word).ToList();
            return words.IndexOf(word) is >= 0 and var index
                ? choices[index].Value
                : throw field.Refuse($"'{word}' is none of {string.Join(", ", words)}{Nearest.Hint(word, words)}");
        })!);

    /// <summary>Reads a text that has several spellings. A reload compares what it was parsed to.</summary>
    internal T Parsed<T>(string key, Reload reload, Func<string, T> parse) =>
        Declare(key, reload, parse(TextAt(key)));

    /// <summary>Reads a text that may be left out. A reload compares the one spelling that it is given.</summary>
    internal string? OptionalText(string key, Reload reload, Func<string, string> spell) =>
        Declare(key, reload, Has(key) ? spell(TextAt(key)) : null);

    /// <summary>Reads a whole number; null for a word that stands for one.</summary>
    internal int? IntOr(string word, int standsFor, string key, int min, int max, Reload reload) =>
        IsWord(word, key)
            ? Stands(key, reload, standsFor, $"{min} to {max}")
            : Int(key, min, max, reload);

    /// <summary>Reads a size; null for a word that stands for one.</summary>
    internal int? SizeOr(string word, int standsFor, string key, int min, int max, Reload reload) =>
        IsWord(word, key)
            ? Stands(key, reload, standsFor, $"{SizeText(min)} to {SizeText(max)}")
            : Size(key, min, max, reload);

    /// <summary>Reads a size that may be larger than a buffer in memory.</summary>
    internal long LongSize(string key, long min, long max, Reload reload) =>
        Within(key, reload, null, min, max, HoconReader.ReadSize, SizeText);

    /// <summary>Reads a duration in milliseconds, at least 1; 0 stands for "infinite" and for none.</summary>
    internal int Milliseconds(
        string key, TimeSpan min, TimeSpan max, Reload reload, TimeSpan? orElse = null, bool orInfinite = false)
    {
        var time = Duration(key, min, max, reload, orElse, orInfinite);
        return time <= TimeSpan.Zero ? 0 : (int)Math.Clamp(time.TotalMilliseconds, 1, int.MaxValue);
    }

    /// <summary>Reads a list, or one value alone. What cannot be parsed is a fault and left out. A reload compares the
    /// elements as they are printed.</summary>
    /// <param name="optional">Whether null stands for none.</param>
    /// <param name="atLeastOne">Whether an empty list is a fault.</param>
    internal List<T> List<T>(
        string key, Reload reload, ParseElement<T> parse, bool optional = false, bool atLeastOne = false)
    {
        List<T> values = [.. Elements(key, parse, optional && !Has(key) ? [] : Texts(key, atLeastOne))];
        Declare(key, reload, string.Join('\0', values));
        return values;
    }

    /// <summary>Reads a list whose order says nothing.</summary>
    internal IReadOnlySet<T> Set<T>(string key, Reload reload, ParseElement<T> parse)
    {
        var values = new SortedSet<T>(Elements(key, parse, Texts(key, atLeastOne: false)));
        Declare(key, reload, string.Join('\0', values));
        return values;
    }

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

    internal string PathOf(string key) => HoconPath.Below(Path, key);

    /// <summary>Where the key is written; the section's origin if it is not.</summary>
    internal HoconOrigin OriginOf(string key) =>
        Section.TryGet(key.Split('.'), out var field) ? field.OriginOr(Origin) : Origin;

    /// <param name="key">May be that of an inner object: <c>session.dispatcher</c>.</param>
    internal ConfigurationFault FaultAt(string key, string message) => new(OriginOf(key), $"{Path}.{key}", message);

    /// <returns>The field as it was written or inherited; null if it has no value.</returns>
    internal HoconField? Find(string key) =>
        Section.TryGet(key.Split('.'), out var field) && field.Value.Type != HoconType.Null ? field : null;

    private void WarnOfNoUnit(string key, string duration)
    {
        if (HoconUnits.HasNoUnit(duration))
        {
            _findings.Warnings.Add(new ConfigurationFault(
                OriginOf(key),
                PathOf(key),
                $"{duration} has no unit and counts milliseconds; write {duration}ms, or {duration}s for seconds"));
        }
    }

    private void Fault(HoconOrigin origin, string key, string message) =>
        _findings.Faults.Add(new ConfigurationFault(origin, PathOf(key), message));

    private bool IsWord(string word, string key) => Has(key) && TextAt(key) == word;

    /// <returns>Null: a reload compares what the word stands for.</returns>
    private int? Stands(string key, Reload reload, int standsFor, string limits)
    {
        Declare(key, reload, standsFor, limits);
        return null;
    }

    private string TextAt(string key) => Read(key, static field => field.ReadText()) ?? "";

    private (string Text, HoconOrigin Origin)[] Texts(string key, bool atLeastOne) => Read(key, field =>
    {
        var elements = HoconReader.Elements(field.Value) ?? [field.Value];
        return atLeastOne && elements.Count == 0
            ? throw field.Refuse("at least one must be given")
            : elements.Select((e, i) => e is HoconScalar { Type: not HoconType.Null } scalar
                ? (scalar.Text, scalar.Origin)
                : throw field.Refuse($"element {i} is {e.TypeName}; text is wanted")).ToArray();
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
        string key, Reload reload, T? orElse, T min, T max, Func<HoconField, T> read, Func<T, string> print)
        where T : struct, IComparable<T>
    {
        var (faults, isThere) = (_findings.Faults.Count, Has(key));
        var value = orElse is { } otherwise && !isThere ? otherwise : Read(key, read);
        var isInfinite = value is TimeSpan time && time == Timeout.InfiniteTimeSpan;
        if (isThere && faults == _findings.Faults.Count && !isInfinite
            && (value.CompareTo(min) < 0 || value.CompareTo(max) > 0))
        {
            var message = $"{Print(value)} is not within {Print(min)} to {Print(max)}";
            _findings.OutOfLimits.Add(new ConfigurationFault(OriginOf(key), PathOf(key), message));
        }

        return Declare(key, reload, value, $"{print(min)} to {print(max)}");
    }

    private T Declare<T>(string key, Reload reload, T value, string limits = "")
    {
        var origin = Has(key) ? OriginOf(key) : _entry.Origin;
        _entry._keys.Add(new DeclaredKey($"{_prefix}{key}", limits, reload, value, origin));
        return value;
    }

    private T? Read<T>(string key, Func<HoconField, T> read)
    {
        _known.Add(key);
        Section.TryGet(key, out var field);
        if (field is null or { Value.Type: HoconType.Null })
        {
            // A null of reference.conf only says that there is no default.
            var isNull = field is not null && field.KeyOrigin.File != ConfigurationLoader.ReferenceName;
            Fault(key, isNull ? "must be set, not null" : "must be set");
            return default;
        }

        try
        {
            return read(field);
        }
        catch (HoconException e)
        {
            Fault(e.Origin, key, e.Reason);
            return default;
        }
    }

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
/// <param name="value">Meaningless if the element is refused.</param>
/// <returns>Why it is refused, or null.</returns>
internal delegate string? ParseElement<T>(string text, HoconOrigin origin, out T? value);

/// <summary>The sections that were read so far, and what was found wrong with them.</summary>
internal sealed class ReadFindings
{
    public List<SectionReader> Sections { get; } = [];

    /// <summary>About values that could not be read, which hold zero.</summary>
    public List<ConfigurationFault> Faults { get; } = [];

    /// <summary>About values that were read.</summary>
    public List<ConfigurationFault> OutOfLimits { get; } = [];

    public List<ConfigurationFault> Warnings { get; } = [];

    /// <returns>Null, with a fault, if the value is no object.</returns>
    public HoconObject? ObjectOf(HoconField field, string path)
    {
        try
        {
            return field.ReadObject();
        }
        catch (HoconException e)
        {
            Faults.Add(new ConfigurationFault(e.Origin, path, e.Reason));
            return null;
        }
    }
}

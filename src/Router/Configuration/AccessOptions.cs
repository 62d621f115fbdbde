using Router.Configuration.Hocon;
using Router.Diagnostics;

namespace Router.Configuration;

/// <summary>The keys of <c>log.access</c>: which sessions get a record, and how it looks.</summary>
internal sealed class AccessOptions
{
    private const int FormatCharsMax = 4_096;

    public AccessOptions(SectionReader access)
    {
        var format = FormatOf(access);
        var fields = access.List<AccessVariable>("fields", Reload.AtOnce, ParseField);
        Shape = new AccessShape(format, fields);
        Sample = access.Int("sample", 1, 1_000_000, Reload.AtOnce);
        Always = access.Set<CloseReason>("always", Reload.AtOnce, ParseReason);
        Opened = access.Bool("opened", Reload.AtOnce);
        LongSessionInterval = access.Duration(
            "long-session-interval", Limit.Second, Limit.Day, Reload.AtOnce, orInfinite: true);
        var filter = access.Child("filter");
        Routes = filter.Words("routes", Reload.AtOnce).ToHashSet(StringComparer.Ordinal);
        NotRoutes = filter.Words("not-routes", Reload.AtOnce).ToHashSet(StringComparer.Ordinal);
        Reasons = filter.Set<CloseReason>("reasons", Reload.AtOnce, ParseReason);
        NotReasons = filter.Set<CloseReason>("not-reasons", Reload.AtOnce, ParseReason);
        Section = filter;
    }

    /// <summary>The filter's.</summary>
    public SectionReader Section { get; }

    public AccessShape Shape { get; }

    /// <summary>One session of so many gets a record.</summary>
    public int Sample { get; }

    /// <summary>Sessions that end by these reasons get one whatever the sample.</summary>
    public IReadOnlySet<CloseReason> Always { get; }

    /// <summary>Whether the beginning of a session is told of at the level info.</summary>
    public bool Opened { get; }

    /// <summary>How often sessions that are older than that are told of; infinite for never.</summary>
    public TimeSpan LongSessionInterval { get; }

    /// <summary>Empty for all.</summary>
    public IReadOnlySet<string> Routes { get; }

    public IReadOnlySet<string> NotRoutes { get; }

    /// <summary>Empty for all.</summary>
    public IReadOnlySet<CloseReason> Reasons { get; }

    public IReadOnlySet<CloseReason> NotReasons { get; }

    private static AccessFormat? FormatOf(SectionReader access)
    {
        if (access.OptionalText("format", Reload.AtOnce) is not { } text)
        {
            return null;
        }

        var fault = text.Length > FormatCharsMax ? $"is longer than {FormatCharsMax} characters" : null;
        var format = fault is null ? AccessFormat.Parse(text, Nearest.Hint, out fault) : null;
        if (fault is not null)
        {
            access.Fault("format", fault);
        }

        return format;
    }

    private static string? ParseField(string text, HoconOrigin origin, out AccessVariable? field) =>
        AccessVariables.All.TryGetValue(text, out field)
            ? null
            : $"there is no field '{text}'{Nearest.Hint(text, AccessVariables.All.Keys)}; docs/logs.md lists them";

    private static string? ParseReason(string text, HoconOrigin origin, out CloseReason reason)
    {
        var reasons = Enum.GetValues<CloseReason>().Where(static reason => reason != CloseReason.None).ToList();
        var words = reasons.ConvertAll(ClosedSet<CloseReason>.NameOf);
        var index = words.IndexOf(text);
        reason = reasons[Math.Max(0, index)];
        return index < 0 ? $"'{text}' is no close reason{Nearest.Hint(text, words)}; docs/logs.md lists them" : null;
    }
}

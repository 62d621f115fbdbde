using System.Globalization;
using System.Reflection;

namespace Router.Diagnostics;

/// <summary>What a value is, which decides the forms that it can be written in.</summary>
internal enum AccessKind
{
    Text = 0,
    Time,
    Milliseconds,
}

/// <summary>One thing that can be said of a session that has ended.</summary>
/// <param name="Name">A field of <c>session-closed</c>, or something made of some.</param>
/// <param name="Value">Takes the fields of the event.</param>
internal sealed record AccessVariable(
    string Name, AccessKind Kind, Func<IReadOnlyList<KeyValuePair<string, object?>>, object?> Value);

/// <summary>All of them, by name.</summary>
internal static class AccessVariables
{
    private static readonly string[] Fields =
        [.. typeof(SessionLog).GetMethod(nameof(SessionLog.Closed), BindingFlags.Static | BindingFlags.Public)!
            .GetParameters()
            .Skip(1)
            .Select(static parameter => LogFields.KeyOf(parameter.Name!))];

    private static readonly AccessVariable[] Made =
    [
        new("closed-at", AccessKind.Time, static fields =>
            ((DateTimeOffset)Field(fields, "opened-at")!).AddMilliseconds((long)Field(fields, "duration-ms")!)),
        new("peer-address", AccessKind.Text, static fields => Part(fields, "peer", isPort: false)),
        new("peer-port", AccessKind.Text, static fields => Part(fields, "peer", isPort: true)),
        new("local-address", AccessKind.Text, static fields => Part(fields, "local", isPort: false)),
        new("local-port", AccessKind.Text, static fields => Part(fields, "local", isPort: true)),
        new("nginx-status", AccessKind.Text, static fields => NginxStatus(Field(fields, "reason") as string)),
        new("haproxy-state", AccessKind.Text, static fields => HaproxyState(
            Field(fields, "reason") as string, Field(fields, "connect-ms") is not null)),
    ];

    public static IReadOnlyDictionary<string, AccessVariable> All { get; } = Fields
        .Select(static (name, index) => new AccessVariable(name, KindOf(name), fields => fields[index].Value))
        .Concat(Made)
        .ToDictionary(static variable => variable.Name, StringComparer.Ordinal);

    /// <summary>Of <c>session-closed</c>, in their order.</summary>
    public static IReadOnlyList<string> EventFields => Fields;

    private static AccessKind KindOf(string name) =>
        name == "opened-at" ? AccessKind.Time
        : name.EndsWith("-ms", StringComparison.Ordinal) ? AccessKind.Milliseconds
        : AccessKind.Text;

    private static object? Field(IReadOnlyList<KeyValuePair<string, object?>> fields, string name) =>
        fields[Array.IndexOf(Fields, name)].Value;

    /// <summary>Of <c>192.0.2.1:5000</c> or <c>[2001:db8::1]:5000</c>; a unix socket's name is its address.</summary>
    private static string? Part(IReadOnlyList<KeyValuePair<string, object?>> fields, string name, bool isPort)
    {
        var text = Field(fields, name) is { } value ? LogFields.TextOf(value) : null;
        var colon = text?.LastIndexOf(':') ?? -1;
        if (text is null || colon < 0 || text.StartsWith("unix", StringComparison.Ordinal))
        {
            return isPort ? null : text;
        }

        return isPort ? text[(colon + 1)..] : text[..colon].Trim('[', ']');
    }

    /// <summary>$status of nginx's stream module: 200, 403, 500, 502 or 503.</summary>
    private static string NginxStatus(string? reason) => reason switch
    {
        "upstream-failed" => "502",
        "failed" or "child-failed" => "500",
        "refused" or "unvalidated" or "unidentified" => "403",
        "unattached" or "isolated" => "503",
        _ => "200",
    };

    /// <summary>HAProxy's two letters: who ended the session, and when.</summary>
    private static string HaproxyState(string? reason, bool isConnected) => reason switch
    {
        "idle" or "peer-idle" or "slow" => "cD",
        "reset" => "CD",
        "upstream-failed" => isConnected ? "SD" : "SC",
        "failed" or "child-failed" => "ID",
        "shutdown" or "listener-removed" or "superseded" or "handed-off" or "isolated" => "KD",
        "upstream-removed" => "DD",
        "lifetime" => "PD",
        "refused" or "unvalidated" or "unidentified" => "PR",
        "unattached" => "RQ",
        _ => "--",
    };
}

/// <summary>The forms that values can be written in.</summary>
internal static class AccessForms
{
    private static readonly Dictionary<string, Func<object, string>> Times = new(StringComparer.Ordinal)
    {
        ["iso"] = static value => LogFields.TimeOf((DateTimeOffset)value),
        ["clf"] = static value => Written(value, "dd/MMM/yyyy:HH:mm:ss '+0000'"),
        ["clf-ms"] = static value => Written(value, "dd/MMM/yyyy:HH:mm:ss.fff"),
        ["unix"] = static value => ((DateTimeOffset)value).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        ["unix-ms"] = static value => Seconds(((DateTimeOffset)value).ToUnixTimeMilliseconds()),
    };

    private static readonly Dictionary<string, Func<object, string>> Milliseconds = new(StringComparer.Ordinal)
    {
        ["ms"] = LogFields.TextOf,
        ["s"] = static value => Seconds(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
    };

    private static readonly Dictionary<string, Func<object, string>> Texts = new(StringComparer.Ordinal)
    {
        ["plain"] = LogFields.TextOf,
        ["upper"] = static value => LogFields.TextOf(value).ToUpperInvariant(),
    };

    /// <summary>The forms of a kind; the first is that without a name.</summary>
    public static IReadOnlyDictionary<string, Func<object, string>> Of(AccessKind kind) => kind switch
    {
        AccessKind.Time => Times,
        AccessKind.Milliseconds => Milliseconds,
        _ => Texts,
    };

    private static string Written(object value, string format) =>
        ((DateTimeOffset)value).UtcDateTime.ToString(format, CultureInfo.InvariantCulture);

    private static string Seconds(long milliseconds) =>
        (milliseconds / 1000m).ToString("0.000", CultureInfo.InvariantCulture);
}

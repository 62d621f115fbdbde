using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Tests.Tidy;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

/// <summary>docs/logs.md and the code say the same, in both directions.</summary>
public sealed partial class LogEventsTests
{
    /// <summary>The first id of each class's hundred. A new class takes a hundred of its own.</summary>
    private static readonly Dictionary<string, int> Ranges = new(StringComparer.Ordinal)
    {
        ["HostLog"] = 1000,
        ["ListenerLog"] = 1100,
        ["SessionLog"] = 1200,
        ["UpstreamLog"] = 1300,
        ["ChildLog"] = 1600,
        ["ClusterLog"] = 1500,
        ["CollectLog"] = 1400,
        ["CheckpointLog"] = 1700,
        ["SinkLog"] = 1900,
        ["AdminLog"] = 1800,
        ["MetricsLog"] = 2000,
        ["SpanLog"] = 2100,
    };

    private static readonly string Page = Repository.Read("docs/logs.md");

    [Fact]
    public void Every_event_is_listed_with_its_id_level_and_fields_and_every_listed_event_exists()
    {
        var listed = EventRow().Matches(Page)
            .Select(static row => $"{row.Groups[1]} {row.Groups[2]} {row.Groups[3]} {row.Groups[4]}".Replace("`", ""));

        Assert.Equal(Events().Select(static e => e.Row).Order(), listed.Order());
    }

    [Fact]
    public void Every_field_is_listed_with_its_type_and_unit_and_no_other()
    {
        var fields = Methods()
            .SelectMany(static method => FieldsOf(method.Method))
            .GroupBy(static field => LogFields.KeyOf(field.Name!), static field => TypeOf(field.ParameterType))
            .Select(static field =>
                $"{field.Key}: {string.Join(" or ", field.Distinct().Order())}, {UnitOf(field.Key)}");

        Assert.Equal(
            fields.Order(StringComparer.Ordinal),
            FieldRow().Matches(Page)
                .Select(static row => $"{row.Groups[1]}: {row.Groups[2]}, {row.Groups[3]}")
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ids_and_names_are_unique_and_ids_lie_in_the_range_of_their_class()
    {
        var events = Events().ToArray();

        Assert.Equal(events.Length, events.Select(static e => e.Attribute.EventId).Distinct().Count());
        Assert.Equal(events.Length, events.Select(static e => e.Attribute.EventName).Distinct().Count());
        Assert.All(events, static e =>
            Assert.InRange(e.Attribute.EventId, Ranges[e.Type.Name], Ranges[e.Type.Name] + 99));
    }

    [Fact]
    public void Every_close_reason_and_drop_reason_is_explained_and_no_other()
    {
        var closing = Enum.GetValues<CloseReason>()
            .Where(static reason => reason != CloseReason.None)
            .Select(ClosedSet<CloseReason>.NameOf);
        var dropping = Enum.GetValues<DropReason>().Select(DropCounters.NameOf);

        Assert.Equal(
            closing.Concat(dropping).Order(),
            WordRow().Matches(Page).Select(static row => row.Groups[1].Value).Order());
    }

    [Fact]
    public void The_written_fields_are_the_parameters_in_their_order()
    {
        var logger = new LineLogger("Router", isText: true);

        SessionLog.Opened(logger, LogLevel.Debug, "0a", "echo", "udp", "192.0.2.1:7", "-", "back", null, null, null);
        HostLog.Stats(logger, 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);

        Assert.EndsWith(
            "session-opened session=0a listener=echo transport=udp peer=192.0.2.1:7 local=- route=back "
            + "peer-pid=- peer-uid=- peer-gid=-\n",
            logger.Lines[0],
            StringComparison.Ordinal);
        Assert.EndsWith(
            "stats interval-ms=1 sessions=2 spare=0 opened=3 closed=4 restarts=5 payloads-in=6 bytes-in=7 " +
            "payloads-out=8 bytes-out=9 drops=10 accept-queue=11 accept-overflows=12 " +
            "namespace-accept-overflows=13 managed-bytes=14 " +
            "gc-pauses=15 gc-pause-p99-us=16 gc-pause-max-us=17 gc-blocking=18 log-lines-dropped=19\n",
            logger.Lines[1],
            StringComparison.Ordinal);
    }

    private static IEnumerable<(Type Type, MethodInfo Method, LoggerMessageAttribute Attribute)> Methods() =>
        from type in typeof(HostLog).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
        where attribute is not null
        select (type, method, attribute);

    private static IEnumerable<ParameterInfo> FieldsOf(MethodInfo method) => method.GetParameters()
        .Where(static p => p.ParameterType != typeof(ILogger) && p.ParameterType != typeof(LogLevel))
        .Where(static p => !p.ParameterType.IsAssignableTo(typeof(Exception)));

    /// <summary>As JSON has it; what is an object is an endpoint or an id, and written as text.</summary>
    private static string TypeOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(string) || t == typeof(object) => "text",
        var t when t == typeof(bool) => "boolean",
        var t when t == typeof(DateTimeOffset) => "time",
        var t when t == typeof(int) || t == typeof(long) || t == typeof(uint) || t == typeof(ulong) => "integer",
        var t => t.Name,
    };

    private static string UnitOf(string field) =>
        field.EndsWith("-ms", StringComparison.Ordinal) ? "milliseconds"
        : field.EndsWith("-us", StringComparison.Ordinal) ? "microseconds"
        : field.Split('-').Contains("bytes") || field.Contains("-buffer-", StringComparison.Ordinal) ? "bytes"
        : "-";

    private static IEnumerable<(Type Type, LoggerMessageAttribute Attribute, string Row)> Events() =>
        from each in Methods()
        let method = each.Method
        let attribute = each.Attribute
        let fields = FieldsOf(method).Select(static p => LogFields.KeyOf(p.Name!))
        let takesLevel = method.GetParameters().Any(static p => p.ParameterType == typeof(LogLevel))
        let level = takesLevel ? "any" : LogFields.LevelOf(attribute.Level)
        select (each.Type, attribute, $"{attribute.EventId} {attribute.EventName} {level} {string.Join(' ', fields)}");

    [GeneratedRegex(@"^\| (\d+) \| `([a-z-]+)` \| ([a-z]+) \| ([^|]*) \|", RegexOptions.Multiline, 1000)]
    private static partial Regex EventRow();

    [GeneratedRegex(@"^\| `([a-z0-9-]+)` \| ([a-z ]+) \| ([a-z-]+) \|$", RegexOptions.Multiline, 1000)]
    private static partial Regex FieldRow();

    [GeneratedRegex(@"^\| `([a-z-]+)` \| [^|]+ \|$", RegexOptions.Multiline, 1000)]
    private static partial Regex WordRow();
}

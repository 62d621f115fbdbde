using System.Text;
using System.Text.Json;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

public sealed class JsonLineFormatterTests
{
    private static readonly string[] AccessRecordKeys =
    [
        "time", "level", "event", "session", "listener", "transport", "peer", "local", "route", "upstream",
        "upstream-local", "opened-at", "duration-ms", "payloads-in", "bytes-in", "payloads-out", "bytes-out", "drops",
        "drop-reasons", "restarts", "reason", "peer-pid", "peer-uid", "peer-gid",
        "connect-ms", "trace-id",
    ];

    public static TheoryData<string> HostileTexts => new()
    {
        "\r\n{\"event\":\"stopped\"}",
        "\u001b[2J\u001b]0;title\u0007",
        "a\0b",
        "line\u2028separator\u2029paragraph\u0085next",
        "\ud800 lone high",
        "lone low \udfff",
        "\"}{",
        "\\\"\\u0000",
        "\u009bcsi \u202egnirts",
        "\ufeff\uffff\ufffe",
        "p\u00e4yload \U0001f984",
        new string('"', 64 * 1024),
        new string('\ud83d', 64 * 1024),
        string.Concat(Enumerable.Repeat("\U0001f984", 16 * 1024)),
    };

    [Theory]
    [MemberData(nameof(HostileTexts))]
    public void One_line_is_one_json_object_whatever_a_value_holds(string hostile)
    {
        var logger = new LineLogger("Router");

        UpstreamLog.Unresolved(logger, hostile, hostile, hostile, 0, 1);

        var line = Assert.Single(logger.Lines);
        Assert.Equal('\n', line[^1]);
        Assert.All(line[..^1], static c => Assert.InRange(c, ' ', '~'));
        using var json = JsonDocument.Parse(line);
        string[] keys = ["time", "level", "event", "route", "upstream", "error", "kept", "retry-ms"];
        Assert.Equal(keys, json.RootElement.EnumerateObject().Select(static field => field.Name));
        var value = json.RootElement.GetProperty("route").GetString()!;
        Assert.InRange(Encoding.UTF8.GetByteCount(value), 1, LogFields.ValueBytesMax);
        var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(hostile));
        Assert.Equal(value.TrimEnd('\u2026'), wellFormed[..value.TrimEnd('\u2026').Length]);
    }

    [Fact]
    public void What_people_read_stays_readable()
    {
        var logger = new LineLogger("Router");

        UpstreamLog.Unresolved(logger, "a 'b' & <c> + `d` \"e\"\\\n", "\u00e9\u202e", "", 0, 1);

        var line = Assert.Single(logger.Lines);
        Assert.Contains("\"route\":\"a 'b' & <c> + `d` \\\"e\\\"\\\\\\n\"", line, StringComparison.Ordinal);
        Assert.Contains("\"upstream\":\"\\u00E9\\u202E\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024, 1024, false)]
    [InlineData(1025, 1021, true)]
    public void A_value_beyond_one_kibibyte_is_cut_and_shows_it(int length, int kept, bool isCut)
    {
        var text = LogFields.TextOf(new string('x', length));

        Assert.Equal(new string('x', kept) + (isCut ? "\u2026" : ""), text);
    }

    [Fact]
    public void A_value_is_never_cut_within_a_character()
    {
        var text = LogFields.TextOf("x" + string.Concat(Enumerable.Repeat("\U0001f984", 300)));

        Assert.Equal("x" + string.Concat(Enumerable.Repeat("\U0001f984", 255)) + "\u2026", text);
        Assert.Equal(1024, Encoding.UTF8.GetByteCount(text));
    }

    [Fact]
    public void The_access_record_has_every_field_each_time()
    {
        var logger = new LineLogger("Router.Sessions");

        SessionLog.Closed(
            logger, "00ff", "dns", "udp", "192.0.2.1:5", "192.0.2.9:53", "resolvers", null, null, LineLogger.Now, 15,
            1, 20, 3, 4, 5, "truncated=5", 6, "idle", null, 33, 0, null, null);

        using var json = JsonDocument.Parse(logger.Lines[0]);
        var root = json.RootElement;
        Assert.Equal(AccessRecordKeys.Order(), root.EnumerateObject().Select(static field => field.Name).Order());
        Assert.Equal("2026-02-03T03:05:06.789Z", root.GetProperty("time").GetString());
        Assert.Equal("info", root.GetProperty("level").GetString());
        Assert.Equal("session-closed", root.GetProperty("event").GetString());
        Assert.Equal("2026-02-03T03:05:06.789Z", root.GetProperty("opened-at").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("upstream").ValueKind);
        Assert.Equal(15, root.GetProperty("duration-ms").GetInt64());
        Assert.Equal(20, root.GetProperty("bytes-in").GetInt64());
        Assert.Equal("idle", root.GetProperty("reason").GetString());
    }

    [Fact]
    public void An_exception_adds_its_type_message_and_stack()
    {
        var logger = new LineLogger("Router");

        HostLog.Fault(logger, new InvalidOperationException("no\nway"), "loop 0");

        using var json = JsonDocument.Parse(logger.Lines[0]);
        Assert.Equal("System.InvalidOperationException", json.RootElement.GetProperty("error-type").GetString());
        Assert.Equal("no\nway", json.RootElement.GetProperty("error").GetString());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("stack").ValueKind);
    }

    [Fact]
    public void Anothers_entry_has_category_and_message_and_cannot_take_our_keys()
    {
        var logger = new LineLogger("My.Game");
        Log(
            logger,
            ("level", "l"), ("Event", "e"), ("Time", "t"), ("Twice", 1), ("Twice", 2), ("Odd Key\n}", double.NaN));

        using var json = JsonDocument.Parse(logger.Lines[0]);
        var fields = json.RootElement.EnumerateObject()
            .Select(static field => (field.Name, field.Value.ToString()))
            .ToArray();
        Assert.Equal(
            [
                ("time", "2026-02-03T03:05:06.789Z"), ("level", "warning"), ("event", "log"), ("category", "My.Game"),
                ("message", "said"), ("level-2", "l"), ("event-2", "e"), ("time-2", "t"), ("twice", "1"),
                ("twice-2", "2"), ("odd--key--", "NaN"),
            ],
            fields);
    }

    [Fact]
    public void A_value_that_cannot_be_printed_does_not_fail_who_logs_it()
    {
        var logger = new LineLogger("My.Game");

        Log(logger, ("Value", new Unprintable()));

        Assert.Contains("(InvalidOperationException)", logger.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_beyond_the_limit_are_left_out()
    {
        var logger = new LineLogger("My.Game");
        Log(logger, [.. Enumerable.Range(0, 10 * LogFields.FieldsMax).Select(static n => ($"F{n}", (object)n))]);

        using var json = JsonDocument.Parse(logger.Lines[0]);
        Assert.Equal(3 + LogFields.FieldsMax, json.RootElement.EnumerateObject().Count());
    }

    private static void Log(LineLogger logger, params (string Key, object Value)[] fields) => logger.Log(
        LogLevel.Warning,
        default,
        (IReadOnlyList<KeyValuePair<string, object?>>)
            [.. fields.Select(static field => KeyValuePair.Create(field.Key, (object?)field.Value))],
        null,
        static (_, _) => "said");

    private sealed class Unprintable
    {
        public override string ToString() => throw new InvalidOperationException();
    }
}

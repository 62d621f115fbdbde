using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Reporting.Sinks;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Reporting.Sinks;

public sealed class SyslogFormatTests
{
    [Fact]
    public void A_message_has_the_header_of_RFC_5424_and_the_line()
    {
        var format = new SyslogFormat(16, "host.example", "edge", new TextLineFormatter());

        var text = Encoding.UTF8.GetString(
            Written(format, static log => ListenerLog.AcceptResumed(log, "dns", "-", 7)));

        Assert.Equal(
            $"<134>1 2026-02-03T03:05:06.789Z host.example edge {Environment.ProcessId} accept-resumed - "
            + "2026-02-03T03:05:06.789Z info     accept-resumed listener=dns address=- suspended-ms=7",
            text);
    }

    [Fact]
    public void Anothers_event_cannot_break_the_header()
    {
        var format = new SyslogFormat(3, "h", "router", new JsonLineFormatter());

        var text = Encoding.UTF8.GetString(Written(format, static log => log.Log(
            LogLevel.Error, new EventId(1, "a b\n" + new string('x', 40)), 0, null, static (_, _) => "said"), "Mine"));

        Assert.StartsWith(
            $"<27>1 2026-02-03T03:05:06.789Z h router {Environment.ProcessId} a-b-{new string('x', 28)} - {{",
            text, StringComparison.Ordinal);
    }

    [Fact]
    public void Journald_gets_a_variable_for_each_field_that_is_known()
    {
        var entry = Written(new JournalFormat("router"), static log =>
            UpstreamLog.Failed(log, "web", "10.0.0.1:80", null, "ECONNREFUSED: it's\nrefused", 3));

        Assert.Equal(
            [
                .. "MESSAGE=upstream-failed route=web upstream=10.0.0.1:80 upstream-local=- "u8,
                .. "error=\"ECONNREFUSED: it's\\nrefused\" count=3\nPRIORITY=4\nSYSLOG_IDENTIFIER=router\n"u8,
                .. Encoding.ASCII.GetBytes($"SYSLOG_PID={Environment.ProcessId}\n"),
                .. "ROUTER_TIME=2026-02-03T03:05:06.789Z\nROUTER_EVENT=upstream-failed\nROUTER_ROUTE=web\n"u8,
                .. "ROUTER_UPSTREAM=10.0.0.1:80\nROUTER_ERROR\n"u8, .. BitConverter.GetBytes(26L),
                .. "ECONNREFUSED: it's\nrefused\nROUTER_COUNT=3\n"u8,
            ],
            entry);
    }

    private static byte[] Written(ILineFormat format, Action<ILogger> log, string category = "Router")
    {
        var bytes = new ArrayBufferWriter<byte>();
        log(new RecordLogger(category, new FixedTime(), static _ => true, record =>
            format.Write(LogLine.From(record), bytes)));
        return bytes.WrittenSpan.ToArray();
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Diagnostics.LineLogger.Now;
    }
}

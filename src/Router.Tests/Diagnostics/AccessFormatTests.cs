using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Reporting;
using Router.Tests.Reporting;
using Router.Tests.Tidy;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

public sealed partial class AccessFormatTests
{
    private static readonly DateTimeOffset Opened = new(2026, 2, 6, 12, 12, 51, 443, TimeSpan.Zero);

    [Theory]
    [InlineData("{peer} {peer-address} {peer-port}", "[2001:db8::1]:5000 2001:db8::1 5000")]
    [InlineData("{local-address}|{local-port}", "192.0.2.9|53")]
    [InlineData("{opened-at} {opened-at:clf}", "2026-02-06T12:12:51.443Z 06/Feb/2026:12:12:51 +0000")]
    [InlineData("{closed-at:clf-ms} {closed-at:unix} {closed-at:unix-ms}",
        "06/Feb/2026:12:12:56.450 1770379976 1770379976.450")]
    [InlineData("{duration-ms} {duration-ms:s} {connect-ms:s}", "5007 5.007 0.003")]
    [InlineData("{transport:upper} {upstream|<NOSRV>} {upstream}", "TCP <NOSRV> -")]
    [InlineData("{{{bytes-in}}} \"{drop-reasons}\"", "{20} \"a\\\"b\\nc\"")]
    [InlineData("100 %", "100 %")]
    public void A_line_is_its_text_with_its_variables(string format, string expected) =>
        Assert.Equal(expected, LineOf(format));

    [Theory]
    [InlineData("{per}", "character 2: there is no 'per'; did you mean 'peer'?")]
    [InlineData("x {bytes-inn}", "character 4: there is no 'bytes-inn'; did you mean 'bytes-in'?")]
    [InlineData("{peer:uper}", "character 7: 'uper' is no form of peer, which has plain, upper; did you mean 'upper'?")]
    [InlineData("{opened-at:s}", "character 12: 's' is no form of opened-at, which has iso, clf, clf-ms, unix,")]
    [InlineData("{peer", "character 1: '{' has no '}'; a brace itself is written twice")]
    [InlineData("peer}", "character 5: a '}' without its '{'")]
    [InlineData("a\\nb", "character 2: a control character, which would break the line")]
    public void A_fault_names_the_place_and_what_may_have_been_meant(string format, string fault)
    {
        var found = Assert.Single(AccessRig.Load($"format = \"{format}\"").Faults);

        Assert.Equal("router.log.access.format", found.Path);
        Assert.StartsWith(fault, found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_variable_and_every_form_is_in_the_documentation_and_no_other()
    {
        var page = Repository.Read("docs/logs.md");
        var text = page[page.IndexOf("## Records of one's own", StringComparison.Ordinal)..];
        var listed = Row().Matches(text).Select(static row => $"{row.Groups[1]}: {row.Groups[2]}".Replace("`", ""));

        Assert.Equal(
            AccessVariables.All.Values
                .Where(static variable => !AccessVariables.EventFields.Contains(variable.Name)
                    || variable.Kind != AccessKind.Text)
                .Select(static variable => $"{variable.Name}: {string.Join(' ', AccessForms.Of(variable.Kind).Keys)}")
                .Order(),
            listed.Order());
    }

    [Fact]
    public void Chosen_fields_are_written_in_their_order_and_kept_apart_from_the_event()
    {
        var log = new LineLogger("Router");

        Log(log, "fields = [reason, peer-port, duration-ms, upstream]");

        Assert.Equal(
            "{\"time\":\"2026-02-03T03:05:06.789Z\",\"level\":\"info\",\"event\":\"session-closed\","
            + "\"reason\":\"idle\",\"peer-port\":\"5000\",\"duration-ms\":5007,\"upstream\":null}\n",
            Assert.Single(log.Lines));
    }

    [Theory]
    [InlineData("format = \"{reason} {bytes-out}\"", "idle 4")]
    [InlineData("fields = [reason, upstream]", "session-closed reason=idle upstream=-")]
    public void A_program_that_hosts_the_router_gets_it_as_the_text_of_the_record(string access, string expected)
    {
        var texts = new List<string>();

        Log(new HostLogger(new TextLogger(texts)), access);

        Assert.Equal([expected], texts);
    }

    private static string LineOf(string format)
    {
        var log = new LineLogger("Router");
        Log(log, $"format = \"\"\"{format}\"\"\"");
        return Assert.Single(log.Lines).TrimEnd('\n');
    }

    private static void Log(ILogger log, string access) => SessionLog.Closed(
        new AccessLog(log, AccessRig.Options(access)).Records, "00ff", "dns", "tcp", "[2001:db8::1]:5000",
        "192.0.2.9:53", "resolvers", null, null, Opened, 5_007, 1, 20, 3, 4, 5, "a\"b\nc", 6, "idle", null, null, null,
        3, null);

    [GeneratedRegex(@"^- `([a-z-]+)` \((`[a-z` -]+`)\)", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();

    private sealed class TextLogger(List<string> texts) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => texts.Add(formatter(state, exception));
    }
}

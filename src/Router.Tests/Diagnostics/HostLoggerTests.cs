using System.Globalization;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

public sealed class HostLoggerTests
{
    [Fact]
    public void An_access_record_reads_the_same_under_every_culture_and_has_no_blanks()
    {
        var before = CultureInfo.CurrentCulture;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.DateTimeFormat.ShortDatePattern = "d. M. y";
        culture.NumberFormat.NegativeSign = "minus ";
        CultureInfo.CurrentCulture = culture;
        var host = new TextLogger();
        try
        {
            SessionLog.Closed(
                new HostLogger(host), "00ff", "dns", "udp", "192.0.2.1:5", "192.0.2.9:53", "resolvers", null,
                null, LineLogger.Now, -1_500, 1, 2, 3, 4, 0, null, 0, "idle", null, null, null, null, null);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.Equal(
            "Session 00ff of dns closed: idle; udp from 192.0.2.1:5 to 192.0.2.9:53, route resolvers, upstream - "
            + "from -, opened 2026-02-03T03:05:06.789Z, -1500 ms, in 1 payloads 2 bytes, out 3 payloads 4 bytes, "
            + "0 drops -, 0 restarts, process -, user -, group -, connected in - ms, trace -",
            Assert.Single(host.Texts));
    }

    [Fact]
    public void What_a_peer_said_starts_no_line_and_hides_nothing()
    {
        var host = new TextLogger();

        UpstreamLog.Unresolved(new HostLogger(host), "r\r\n\u001b[2J", "a\u202eb\u200b", "", 0, 1);

        var text = Assert.Single(host.Texts);
        Assert.Contains("r\\r\\n\\u001B[2J", text, StringComparison.Ordinal);
        Assert.Contains("a\\u202Eb\\u200B", text, StringComparison.Ordinal);
        Assert.All(text, static c => Assert.InRange(c, ' ', '~'));
    }

    [Fact]
    public void Fields_levels_and_records_of_others_stay_as_they_are()
    {
        var host = new TextLogger();
        var logger = new HostLogger(host);
        var failure = new InvalidOperationException("x");

        HostLog.Fault(logger, failure, "here");
        logger.Log(LogLevel.Debug, new EventId(7), "state", null, static (state, _) => $"the {state}");

        Assert.Equal(["Fault in here", "the state"], host.Texts);
        Assert.Equal((LogLevel.Error, "fault", failure), host.First);
        Assert.Contains(new KeyValuePair<string, object?>("Source", "here"), host.Fields);
    }

    private sealed class TextLogger : ILogger
    {
        public List<string> Texts { get; } = [];

        public (LogLevel Level, string? Name, Exception? Failure)? First { get; private set; }

        public List<KeyValuePair<string, object?>> Fields { get; } = [];

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            First ??= (logLevel, eventId.Name, exception);
            Texts.Add(formatter(state, exception));
            Fields.AddRange(state as IReadOnlyList<KeyValuePair<string, object?>> ?? []);
        }
    }
}

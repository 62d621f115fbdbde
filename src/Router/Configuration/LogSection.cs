using Router.Configuration.Hocon;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Configuration;

/// <summary>Where log lines go.</summary>
internal enum LogSinkKind
{
    /// <summary>Journal where standard output is the journal's, else stdout.</summary>
    Auto = 0,

    Stdout,
    Journal,
    File,
    Syslog,
    Otlp,
}

/// <summary>Which lines a sink gets.</summary>
internal enum LogLines
{
    All = 0,

    /// <summary>The records of sessions: <c>session-closed</c>.</summary>
    Access,

    /// <summary>All others.</summary>
    Events,
}

internal static class LogLinesExtensions
{
    public static bool Has(this LogLines lines, LogRecord record) =>
        lines == LogLines.All || (lines == LogLines.Access) == (record.Id.Id == SessionLog.ClosedId);
}

internal enum SinkAddressKind
{
    Udp = 0,
    Tcp,
    Unix,
}

/// <summary>Where a collector of lines is reached.</summary>
/// <param name="Host">A name or an address; the path of a unix socket.</param>
internal sealed record SinkAddress(SinkAddressKind Kind, string Host, int Port)
{
    private const string Udp = "udp://", Tcp = "tcp://", Unix = "unixgram://";

    /// <returns>Why it is refused, or null.</returns>
    public static string? Parse(string text, HoconOrigin origin, out SinkAddress? address)
    {
        address = null;
        if (text.StartsWith(Unix, StringComparison.Ordinal))
        {
            var fault = UnixEndpoints.Parse(text, out _, out var name);
            address = new SinkAddress(SinkAddressKind.Unix, name.StartsWith('@') ? $"\0{name[1..]}" : name, 0);
            return fault;
        }

        var isTcp = text.StartsWith(Tcp, StringComparison.Ordinal);
        if (!isTcp && !text.StartsWith(Udp, StringComparison.Ordinal))
        {
            return $"'{text}' must begin with {Udp}, {Tcp} or {Unix}, as in udp://10.0.0.9:514 or unixgram:///dev/log";
        }

        var refusal = Endpoints.ParseUpstream(text[Udp.Length..], out var host, out var port, out _);
        address = new SinkAddress(isTcp ? SinkAddressKind.Tcp : SinkAddressKind.Udp, host, port);
        return refusal;
    }

    public override string ToString() => Kind switch
    {
        SinkAddressKind.Unix => $"{Unix}{Host.Replace('\0', '@')}",
        SinkAddressKind.Tcp => $"{Tcp}{HostText}:{Port}",
        _ => $"{Udp}{HostText}:{Port}",
    };

    private string HostText => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
}

/// <summary>The keys of <c>log.file</c>.</summary>
/// <param name="Path">Null where there is no such sink.</param>
/// <param name="MaxSize">Bytes after which it is renamed; 0 for never.</param>
/// <param name="Keep">How many renamed ones stay.</param>
internal sealed record FileSinkOptions(string? Path, LogFormat Format, LogLines Lines, long MaxSize, int Keep);

/// <summary>The keys of <c>log.syslog</c>.</summary>
/// <param name="Address">Null where there is no such sink.</param>
/// <param name="HostName">Null for this machine's.</param>
internal sealed record SyslogSinkOptions(
    SinkAddress? Address, LogFormat Format, LogLines Lines, SyslogFacility Facility, string AppName, string? HostName);

/// <summary>The keys of <c>log.journal</c>.</summary>
internal sealed record JournalSinkOptions(SinkAddress Address, LogLines Lines, string Identifier);

/// <summary>The keys of <c>log.otlp</c>.</summary>
/// <param name="Target">Where records go.</param>
internal sealed record OtlpSinkOptions(OtlpTarget Target, LogLines Lines);

/// <summary>As RFC 5424 numbers them.</summary>
internal enum SyslogFacility
{
    Kern = 0, User, Mail, Daemon, Auth, Syslog, Lpr, News, Uucp, Cron, Authpriv, Ftp,
    Local0 = 16, Local1, Local2, Local3, Local4, Local5, Local6, Local7,
}

/// <summary>The section <c>router.log</c>.</summary>
internal sealed class LogOptions
{
    internal const int AppNameMax = 48;

    private const int HostNameMax = 255;

    public LogOptions(SectionReader log)
    {
        Section = log;
        Format = log.Choice<LogFormat>("format", Reload.No);
        Level = log.Choice("level", Reload.AtOnce, ("trace", LogLevel.Trace), ("debug", LogLevel.Debug),
            ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error));
        StatsInterval = log.Duration("stats-interval", Limit.Second, Limit.Day, Reload.AtOnce, orInfinite: true);
        Queue = log.Int("queue", 16, 1_000_000, Reload.No);
        SessionRecords = log.Int("session-records", 0, 1_000_000, Reload.No);
        Sinks = log.Set<LogSinkKind>("sinks", Reload.No, ParseSink);
        FlushTimeout = log.Duration("flush-timeout", TimeSpan.Zero, TimeSpan.FromMinutes(1), Reload.No);
        StdoutLines = log.Child("stdout").Choice<LogLines>("lines", Reload.No);
        var file = log.Child("file");
        File = new FileSinkOptions(
            file.OptionalText("path", Reload.No), file.Choice<LogFormat>("format", Reload.No),
            file.Choice<LogLines>("lines", Reload.No), file.LongSize("max-size", 0, 1L << 40, Reload.No),
            file.Int("keep", 0, 1_000, Reload.No));
        var otlp = log.Child("otlp");
        Otlp = new OtlpSinkOptions(OtlpTarget.Read(otlp)!, otlp.Choice<LogLines>("lines", Reload.No));
        Access = new AccessOptions(log.Child("access"));
        Syslog = ReadSyslog(log.Child("syslog"));
        var journal = log.Child("journal");
        Journal = new JournalSinkOptions(
            AddressOf(journal, "socket") ?? new SinkAddress(SinkAddressKind.Unix, "", 0),
            journal.Choice<LogLines>("lines", Reload.No), NameOf(journal, "identifier", AppNameMax)!);
    }

    public SectionReader Section { get; }

    /// <summary>Of standard output.</summary>
    public LogFormat Format { get; }

    public LogLevel Level { get; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for no stats lines.</summary>
    public TimeSpan StatsInterval { get; }

    /// <summary>Lines that may wait for each sink.</summary>
    public int Queue { get; }

    /// <summary>Access records a second.</summary>
    public int SessionRecords { get; }

    public IReadOnlySet<LogSinkKind> Sinks { get; }

    /// <summary>How long the end waits for lines that are not written yet.</summary>
    public TimeSpan FlushTimeout { get; }

    public LogLines StdoutLines { get; }

    public FileSinkOptions File { get; }

    public OtlpSinkOptions Otlp { get; }

    public AccessOptions Access { get; }

    public SyslogSinkOptions Syslog { get; }

    public JournalSinkOptions Journal { get; }

    private static SyslogSinkOptions ReadSyslog(SectionReader syslog) => new(
        AddressOf(syslog, "address"), syslog.Choice<LogFormat>("format", Reload.No),
        syslog.Choice<LogLines>("lines", Reload.No), syslog.Choice<SyslogFacility>("facility", Reload.No),
        NameOf(syslog, "app-name", AppNameMax)!, NameOf(syslog, "host-name", HostNameMax));

    private static SinkAddress? AddressOf(SectionReader section, string key) =>
        section.List<SinkAddress>(key, Reload.No, SinkAddress.Parse, optional: true) is [var address, ..]
            ? address
            : null;

    /// <summary>A name within a header of syslog's.</summary>
    internal static string? NameOf(SectionReader section, string key, int max)
    {
        var name = section.OptionalText(key, Reload.No);
        if (name is not null && (name.Length == 0 || name.Length > max || !name.All(static c => c is > ' ' and <= '~')))
        {
            section.Fault(key, $"'{name}' is no name of 1 to {max} ASCII characters without blanks");
        }

        return name;
    }

    private static string? ParseSink(string text, HoconOrigin origin, out LogSinkKind sink)
    {
        var kinds = Enum.GetValues<LogSinkKind>();
        var words = kinds.Select(static kind => Kebab.From(kind.ToString())).ToList();
        var index = words.IndexOf(text);
        sink = kinds[Math.Max(0, index)];
        return index < 0 ? $"'{text}' is none of {string.Join(", ", words)}{Nearest.Hint(text, words)}" : null;
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting.Sinks;

/// <summary>A message of RFC 5424: the header, no structured data, and the line of another format as its text.
/// </summary>
/// <param name="facility">0 to 23.</param>
/// <param name="hostName">This machine's.</param>
/// <param name="appName">The router's.</param>
/// <param name="line">Of the text.</param>
internal sealed class SyslogFormat(int facility, string hostName, string appName, ILineFormat line) : ILineFormat
{
    private const int MessageIdMax = 32;

    private readonly string _origin =
        $"{hostName} {appName} {Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";

    public void Write(LogLine entry, IBufferWriter<byte> output)
    {
        var header = string.Create(
            CultureInfo.InvariantCulture,
            $"<{(facility * 8) + SeverityOf(entry.Level)}>1 {LogFields.TimeOf(entry.Time)} {_origin} "
            + $"{MessageIdOf(entry.Event)} - ");
        Encoding.ASCII.GetBytes(header, output);
        line.Write(entry, output);
    }

    /// <summary>Of syslog, and of journald.</summary>
    internal static int SeverityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    /// <summary>At most 32 characters that can be seen.</summary>
    private static string MessageIdOf(string name) =>
        name.Length <= MessageIdMax && name.All(static c => c is > ' ' and <= '~')
            ? name
            : string.Concat(name.Take(MessageIdMax).Select(static c => c is > ' ' and <= '~' ? c : '-'));
}

/// <summary>An entry of journald's own protocol: a variable for each field, ROUTER_SESSION for <c>session</c>, and the
/// line without its time and level as MESSAGE.</summary>
internal sealed class JournalFormat(string identifier) : ILineFormat
{
    [ThreadStatic]
    private static StringBuilder? _message;

    public void Write(LogLine line, IBufferWriter<byte> output)
    {
        var message = (_message ??= new StringBuilder(512)).Clear();
        TextLineFormatter.Append(message, line);
        Write("MESSAGE", line.Text ?? message.ToString(), output);
        Write("PRIORITY", SyslogFormat.SeverityOf(line.Level).ToString(CultureInfo.InvariantCulture), output);
        Write("SYSLOG_IDENTIFIER", identifier, output);
        Write("SYSLOG_PID", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), output);
        Write("ROUTER_TIME", LogFields.TimeOf(line.Time), output);
        Write("ROUTER_EVENT", line.Event, output);
        foreach (var (key, value) in line.Fields)
        {
            if (value is not null)
            {
                var name = "ROUTER_" + key.ToUpperInvariant().Replace('-', '_');
                Write(name.Length <= 64 ? name : name[..64], LogFields.TextOf(value), output);
            }
        }
    }

    /// <summary>A value with a line feed has its length before it, 64 bits in little endian.</summary>
    private static void Write(string name, string value, IBufferWriter<byte> output)
    {
        Encoding.ASCII.GetBytes(name, output);
        if (value.Contains('\n', StringComparison.Ordinal))
        {
            output.Write("\n"u8);
            var length = output.GetSpan(sizeof(long));
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(value));
            output.Advance(sizeof(long));
        }
        else
        {
            output.Write("="u8);
        }

        Encoding.UTF8.GetBytes(value, output);
        output.Write("\n"u8);
    }
}

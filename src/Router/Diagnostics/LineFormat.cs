using System.Buffers;
using System.Text;

namespace Router.Diagnostics;

internal enum LogFormat
{
    /// <summary>Text when standard output is a terminal, else JSON.</summary>
    Auto = 0,

    Json,
    Text,
}

/// <summary>How a record looks in a sink. Any thread.</summary>
internal interface ILineFormat
{
    /// <summary>Writes the line, in UTF-8 and without its end.</summary>
    void Write(LogLine line, IBufferWriter<byte> output);
}

internal static class LineFormats
{
    /// <param name="format">As configured.</param>
    /// <param name="isRedirected">Where the lines go is not a terminal.</param>
    public static ILineFormat Of(LogFormat format, bool isRedirected) =>
        format == LogFormat.Json || (format == LogFormat.Auto && isRedirected)
            ? new JsonLineFormatter()
            : new TextLineFormatter();

    /// <summary>The line of a record that brings it, or of the format.</summary>
    public static void Write(ILineFormat format, LogLine line, IBufferWriter<byte> output)
    {
        if (line.Text is { } text)
        {
            Encoding.UTF8.GetBytes(text, output);
        }
        else
        {
            format.Write(line, output);
        }
    }
}

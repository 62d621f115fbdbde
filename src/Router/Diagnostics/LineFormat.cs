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
    /// <summary>Writes the line, in UTF-8 and without its end; that of a record that brings one.</summary>
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

    /// <returns>Whether the record brings its line, which has been written then.</returns>
    public static bool TryWriteText(LogLine line, IBufferWriter<byte> output)
    {
        if (line.Text is not { } text)
        {
            return false;
        }

        Encoding.UTF8.GetBytes(text, output);
        return true;
    }
}

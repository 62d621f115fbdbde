using System.Buffers;
using System.Text;

namespace Router.Diagnostics;

/// <summary>For terminals: time, level, event and key=value pairs on one line.</summary>
/// <remarks>Values with blanks, quotes or other than ASCII are quoted and escaped as in JSON, so that no value can move
/// the cursor or begin a line.</remarks>
internal sealed class TextLineFormatter : ILineFormat
{
    [ThreadStatic]
    private static StringBuilder? _builder;

    public void Write(LogLine line, IBufferWriter<byte> output)
    {
        if (LineFormats.TryWriteText(line, output))
        {
            return;
        }

        var text = (_builder ??= new StringBuilder(512)).Clear();
        text.Append(LogFields.TimeOf(line.Time)).Append(' ')
            .Append(LogFields.LevelOf(line.Level).PadRight("critical".Length)).Append(' ');
        Append(text, line);
        Encoding.UTF8.GetBytes(text.ToString(), output);
    }

    /// <summary>The event and its fields.</summary>
    public static void Append(StringBuilder text, LogLine line)
    {
        AppendValue(text, line.Event);
        foreach (var (key, value) in line.Fields)
        {
            text.Append(' ').Append(key).Append('=');
            AppendValue(text, value is null ? "-" : LogFields.TextOf(value));
        }
    }

    /// <summary>The value, in quotes if anything in it is odd.</summary>
    public static void AppendValue(StringBuilder text, string value)
    {
        if (value.Length > 0 && value.All(static c => c is > ' ' and <= '~' and not ('"' or '\\' or '=')))
        {
            text.Append(value);
            return;
        }

        text.Append('"').Append(LineEncoder.Readable.Encode(value)).Append('"');
    }
}

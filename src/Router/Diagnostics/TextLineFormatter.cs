using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Router.Diagnostics;

/// <summary>For terminals: time, level, event and key=value pairs on one line.</summary>
/// <remarks>Values with blanks, quotes or other than ASCII are quoted and escaped as in JSON, so that no value can move
/// the cursor or begin a line.</remarks>
internal sealed class TextLineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "router-text";

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = LogLine.From(logEntry);
        textWriter.Write(LogFields.TimeOf(time.GetUtcNow()));
        textWriter.Write(' ');
        textWriter.Write(LogFields.LevelOf(line.Level).PadRight("critical".Length));
        textWriter.Write(' ');
        WriteText(textWriter, line.Event);
        foreach (var (key, value) in line.Fields)
        {
            textWriter.Write(' ');
            textWriter.Write(key);
            textWriter.Write('=');
            WriteText(textWriter, value is null ? "-" : LogFields.TextOf(value));
        }

        textWriter.Write('\n');
    }

    private static void WriteText(TextWriter writer, string text)
    {
        if (text.Length > 0 && text.All(static c => c is > ' ' and <= '~' and not ('"' or '\\' or '=')))
        {
            writer.Write(text);
            return;
        }

        writer.Write('"');
        writer.Write(LineEncoder.Readable.Encode(text));
        writer.Write('"');
    }
}

using System.Buffers;
using System.Text.Json;

namespace Router.Diagnostics;

/// <summary>One JSON object a line: time, level, event, then all fields of the event. ASCII only, so that a line is one
/// JSON object to every reader, whatever its locale.</summary>
/// <param name="isAlwaysJson">Whether a record that brings a line of its own is JSON nevertheless.</param>
internal sealed class JsonLineFormatter(bool isAlwaysJson = false) : ILineFormat
{
    private static readonly JsonWriterOptions Options = new() { Encoder = LineEncoder.Ascii };

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public void Write(LogLine line, IBufferWriter<byte> output)
    {
        if (!isAlwaysJson && LineFormats.TryWriteText(line, output))
        {
            return;
        }

        var json = _writer ??= new Utf8JsonWriter(output, Options);
        json.Reset(output);
        json.WriteStartObject();
        json.WriteString("time", LogFields.TimeOf(line.Time));
        json.WriteString("level", LogFields.LevelOf(line.Level));
        json.WriteString("event", line.Event);
        foreach (var (key, value) in line.Fields)
        {
            json.WritePropertyName(key);
            WriteValue(json, value);
        }

        json.WriteEndObject();
        json.Flush();
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case uint number: json.WriteNumberValue(number); break;
            case ulong number: json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case decimal number: json.WriteNumberValue(number); break;
            default: json.WriteStringValue(LogFields.TextOf(value)); break;
        }
    }
}

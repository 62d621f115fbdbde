using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Router.Diagnostics;

namespace Router.Routes;

/// <summary>Windows as JSON lines: one object per payload, ASCII, each line ended by a line feed.</summary>
/// <remarks>
/// <c>time route listener window session peer</c>, then <c>text</c> when the payload is valid UTF-8, else
/// <c>base64</c>.
/// </remarks>
internal sealed class WindowJson
{
    private const int KeptBytesMax = 1 << 20;

    private static readonly JsonWriterOptions Options = new() { Encoder = LineEncoder.Ascii };

    private ArrayBufferWriter<byte> _lines = new();

    /// <summary>The window's lines; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Render(CollectedWindow window)
    {
        if (_lines.Capacity > KeptBytesMax)
        {
            _lines = new ArrayBufferWriter<byte>();   // a large window is no reason to stay large
        }

        _lines.ResetWrittenCount();
        foreach (var payload in window)
        {
            Write(window, payload);
        }

        return _lines.WrittenMemory;
    }

    private void Write(CollectedWindow window, in CollectedPayload payload)
    {
        using (var json = new Utf8JsonWriter(_lines, Options))
        {
            Span<byte> time = stackalloc byte[24];
            payload.Time.UtcDateTime.TryFormat(
                time, out _, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            json.WriteStartObject();
            json.WriteString("time"u8, time);
            json.WriteString("route"u8, window.Route);
            json.WriteString("listener"u8, window.Listener);
            json.WriteNumber("window"u8, window.Number);
            json.WriteString("session"u8, payload.Session.ToString());
            json.WriteString("peer"u8, payload.PeerText);
            if (Utf8.IsValid(payload.Bytes))
            {
                json.WriteString("text"u8, payload.Bytes);
            }
            else
            {
                json.WriteBase64String("base64"u8, payload.Bytes);
            }

            json.WriteEndObject();
        }

        _lines.GetSpan(1)[0] = (byte)'\n';
        _lines.Advance(1);
    }
}

using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>An answer that goes on: server-sent events, as WHATWG's HTML standard has them.</summary>
internal sealed class EventStream
{
    /// <summary>How often something is sent where there is nothing to send: else a client that has gone without a word
    /// would keep its place.</summary>
    public static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(15);

    /// <summary>A client that has not taken what is sent in so long is cut off: it would keep the place of another.
    /// </summary>
    public static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);

    private static readonly byte[] Beat = ":\n\n"u8.ToArray();

    private readonly AdminRequest _request;

    private EventStream(AdminRequest request) => _request = request;

    /// <summary>Sends the head of the answer, with the first of its body.</summary>
    public static EventStream Begin(AdminRequest request)
    {
        var http = request.Http;
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers["X-Accel-Buffering"] = "no";   // a proxy in between would else gather it
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        return new EventStream(request);
    }

    /// <summary>Adds a record as an event of the stream.</summary>
    /// <param name="to">Gets the whole event, or nothing.</param>
    /// <param name="line">Is overwritten.</param>
    /// <returns>False for a record whose text cannot be had: one of its values, or its exception, throws.</returns>
    public static bool TryAdd(
        IBufferWriter<byte> to, ArrayBufferWriter<byte> line, LogRecord record, ILineFormat format)
    {
        try
        {
            line.ResetWrittenCount();
            format.Write(LogLine.From(record), line);
        }
        catch (Exception)
        {
            return false;
        }

        to.Write("data: "u8);
        to.Write(line.WrittenSpan);
        to.Write("\n\n"u8);
        return true;
    }

    public static AdminFault TooMany(AdminHost host) => new(
        StatusCodes.Status503ServiceUnavailable, "There are too many readers",
        $"router.admin.streams.readers lets {host.Engine.Setup.Options.Admin.Streams.Readers} read at once; end one of "
        + "them, or raise it");

    /// <summary>Sends whole events; a sign of life if there are none.</summary>
    /// <exception cref="OperationCanceledException">The client is gone, or takes nothing.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> events)
    {
        using var timeout = new CancellationTokenSource(SendTimeout, _request.Host.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_request.End, timeout.Token);
        var body = _request.Http.Response.Body;
        await body.WriteAsync(events.IsEmpty ? Beat : events, end.Token).ConfigureAwait(false);
        await body.FlushAsync(end.Token).ConfigureAwait(false);
    }
}

using Router.Configuration;

namespace Router.Routes;

/// <summary>
/// What a program does with the windows of a collect route. One instance per route, one call at a time, away from the
/// I/O loops: may block. While a call takes its time, windows wait up to the route's buffer.
/// </summary>
public abstract class WindowHandler
{
    /// <summary>A window is full. It is the router's, and valid until the call returns.</summary>
    /// <remarks>If it throws, the window is lost and recorded as such; the next one comes all the same.</remarks>
    public abstract void OnWindow(CollectedWindow window);
}

/// <summary>Gives windows to a program's own handler.</summary>
internal sealed class HandlerSink(string name, Func<WindowHandler> create) : IWindowSink
{
    private WindowHandler? _handler;
    private IAsyncDisposable? _owner;

    public string Name => name;

    public ValueTask OpenAsync(CancellationToken stop)
    {
        _handler ??= Make();
        return default;
    }

    public ValueTask WriteAsync(CollectedWindow window, CancellationToken stop)
    {
        var handler = _handler ??= Make();
        try
        {
            handler.OnWindow(window);
        }
        catch (Exception failure)
        {
            throw new WindowRefusedException(failure);   // it has had its chance: again would be twice
        }

        return default;
    }

    public ValueTask DisposeAsync() => _owner?.DisposeAsync() ?? default;

    private WindowHandler Make()
    {
        try
        {
            return ServiceFactory.Make(create, out _owner);
        }
        catch
        {
            ServiceFactory.Release(_owner);
            _owner = null;
            throw;
        }
    }
}

/// <summary>Writes every payload of a window into the router's log.</summary>
internal sealed class LogSink(ICollectEvents events) : IWindowSink
{
    public string Name => "log";

    public ValueTask WriteAsync(CollectedWindow window, CancellationToken stop)
    {
        foreach (var payload in window)
        {
            events.Collected(window, CollectedPayloadText.Of(payload));
        }

        return default;
    }

    public ValueTask DisposeAsync() => default;
}

/// <summary>A payload as the log has it.</summary>
/// <param name="At">When it came.</param>
/// <param name="Session">Its session's id.</param>
/// <param name="Peer">Who sent it.</param>
/// <param name="Encoding"><c>text</c>, or <c>base64</c> when it is no UTF-8.</param>
/// <param name="Payload">In that encoding; the log cuts what is longer than its fields may be.</param>
internal sealed record CollectedPayloadText(
    DateTimeOffset At, string Session, string Peer, string Encoding, string Payload)
{
    public static CollectedPayloadText Of(in CollectedPayload payload)
    {
        var isText = System.Text.Unicode.Utf8.IsValid(payload.Bytes);
        return new CollectedPayloadText(
            payload.Time,
            payload.Session.ToString(),
            payload.PeerText,
            isText ? "text" : "base64",
            isText ? System.Text.Encoding.UTF8.GetString(payload.Bytes) : Convert.ToBase64String(payload.Bytes));
    }
}

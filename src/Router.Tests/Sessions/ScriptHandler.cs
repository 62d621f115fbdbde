using System.Text;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Tests.Sessions;

/// <summary>A handler in a few lambdas; without them it echoes.</summary>
internal sealed class ScriptHandler : SessionHandler
{
    public Action<SessionContext>? Opened { get; init; }

    /// <summary>Per payload, as text.</summary>
    public Action<SessionContext, string>? Received { get; init; }

    /// <summary>Per payload, as bytes.</summary>
    public Action<SessionContext, byte[]>? Bytes { get; init; }

    public Action<SessionContext, object>? Message { get; init; }

    public Action<SessionContext>? Timer { get; init; }

    public Action<SessionContext>? PeerFinished { get; init; }

    public Action<SessionContext>? Drained { get; init; }

    public Action<SessionContext, CloseReason>? Closed { get; init; }

    public bool RestartSafe { get; init; }

    public override bool IsRestartSafe => RestartSafe;

    public override void OnOpened(SessionContext session) => Opened?.Invoke(session);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (Received is { } received)
            {
                received(session, Encoding.UTF8.GetString(payload));
            }
            else if (Bytes is { } bytes)
            {
                bytes(session, payload.ToArray());
            }
            else
            {
                session.Reply(payload);
            }
        }
    }

    public override void OnMessage(SessionContext session, object message) => Message?.Invoke(session, message);

    public override void OnTimer(SessionContext session) => Timer?.Invoke(session);

    public override void OnPeerFinished(SessionContext session)
    {
        if (PeerFinished is { } finished)
        {
            finished(session);
        }
        else
        {
            base.OnPeerFinished(session);
        }
    }

    public override void OnDrained(SessionContext session) => Drained?.Invoke(session);

    public override void OnClosed(SessionContext session, CloseReason reason) => Closed?.Invoke(session, reason);
}

internal static class SessionText
{
    /// <summary>Replies with text.</summary>
    public static bool Reply(this SessionContext session, string text) => session.Reply(Encoding.UTF8.GetBytes(text));
}

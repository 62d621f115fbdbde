using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What is done within a session's turn, beside handing it datagrams.</summary>
internal static class SessionTurn
{
    /// <summary>A socket is ready.</summary>
    public static void OnIo(SessionContext session, IoSocket socket)
    {
        var ready = socket.Pending;
        socket.Pending = IoReadiness.None;
        if (socket.IsClosed)
        {
            return;
        }

        var handler = session.Handler!;
        if (session.IsLingering)
        {
            session.Carrier!.Linger();
        }
        else if (session.Carrier is { } carrier && !handler.OwnsStream && ReferenceEquals(socket, carrier.Socket))
        {
            carrier.OnReady(ready);
        }
        else
        {
            handler.OnIo(session, socket, ready);
        }
    }

    /// <summary>Gives the handler one message of the session's own socket.</summary>
    public static void Receive(SessionContext session, ReadOnlySpan<byte> payload)
    {
        session.Traced?.Received(payload);
        try
        {
            session.Handler!.OnReceived(session, new PayloadBatch(payload));
        }
        catch
        {
            session.CountDrop(DropReason.HandlerFailed);
            throw;
        }
    }

    /// <summary>A deadline may have come.</summary>
    public static void OnTick(SessionContext session)
    {
        if (session.IsLingering)
        {
            SessionEnd.StopActor(session);
        }
        else if (session.EndDue is not CloseReason.None and var reason)
        {
            if (reason == CloseReason.PeerIdle && session.Handler!.KeepsPeerSilent(session))
            {
                session.TouchReceived();
                session.Arm();
                return;
            }

            session.Close(reason);
        }
        else
        {
            session.Arm();
            if (session.TryTakeTimer())
            {
                session.Handler!.OnTimer(session);
            }
        }
    }

    /// <summary>The listener drains: ends the session if its handler agrees.</summary>
    public static void Drain(SessionContext session)
    {
        session.Pool?.OnAskedToEnd();
        if (session is not { IsClosed: false, Shard.IsDraining: true, Handler: { } handler })
        {
            return;
        }

        var isDone = handler.OnDraining(session);
        if (session is { Identified.IsAttached: true, KeepsMessages: true })
        {
            session.Close(CloseReason.HandedOff);   // the peer's next payload finds it another session, elsewhere
        }
        else if (isDone)
        {
            session.Close(session.Shard.EndReason);
        }
    }

    /// <summary>Looks at the route, if it is the session's that has changed.</summary>
    public static void OnRouteChanged(SessionContext session, Route route)
    {
        if (session.Route.Involves(route) && !session.IsClosed)
        {
            session.Handler!.OnRouteChanged(session);
        }
    }
}

using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Runs a user's <see cref="FlowHandler"/>: everything is its own but what concerns its flows.</summary>
internal sealed class FlowControlHandler(FlowTable table, FlowHandler handler) : SessionHandler
{
    public override bool IsRestartSafe => handler.IsRestartSafe;

    internal override bool OwnsStream => handler.OwnsStream;

    public override void OnOpened(SessionContext session)
    {
        handler.Flows = table.Open(session, isReady: true);
        handler.OnOpened(session);
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch) => handler.OnReceived(session, batch);

    public override void OnPeerFinished(SessionContext session) => handler.OnPeerFinished(session);

    public override void OnDrained(SessionContext session) => handler.OnDrained(session);

    /// <summary>Its flows end with it: one that is in use keeps it.</summary>
    public override bool OnDraining(SessionContext session) =>
        handler.OnDraining(session) && table.IsQuiet(handler.Flows);

    public override void OnTimer(SessionContext session) => handler.OnTimer(session);

    public override void OnMessage(SessionContext session, object message)
    {
        switch (message)
        {
            case FlowJoined joined:
                handler.Flows.OnJoined();
                handler.OnFlowJoined(session, joined.Flow);
                break;
            case FlowPayload received:
                received.Flow.Group.Leave(received.Payload.Length);
                handler.OnFlowReceived(session, received.Flow, received.Payload);
                break;
            case FlowLeft left:
                try
                {
                    handler.OnFlowClosed(session, left.Flow, left.Reason);
                }
                finally
                {
                    handler.Flows.OnLeft();
                }

                break;
            default:
                handler.OnMessage(session, message);
                break;
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        table.Close(handler.Flows);
        handler.OnClosed(session, reason);
    }

    /// <summary>Its peer speaks by its flows as well.</summary>
    internal override bool KeepsPeerSilent(SessionContext session) =>
        handler.Flows.HasFlows || handler.KeepsPeerSilent(session);

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready) =>
        handler.OnIo(session, socket, ready);

    internal override void OnReplaced(SessionContext session)
    {
        if (session.MustEnd)
        {
            table.Close(handler.Flows);   // there will be no other handler to do it
        }

        handler.OnReplaced(session);
    }
}

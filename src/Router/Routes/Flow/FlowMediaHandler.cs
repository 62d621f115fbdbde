using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A flow of a handler: what it receives goes to its control session, which may be on another loop.</summary>
internal sealed class FlowMediaHandler(FlowTable table) : SessionHandler
{
    private Flow? _flow;

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        var isFirst = _flow is null;
        foreach (var payload in batch)
        {
            var refusal = DropReason.ForeignSource;
            _flow ??= table.Join(session, payload, out refusal);
            if (_flow is not { } flow)
            {
                session.CountDrop(refusal, batch.Count);
                session.Close(CloseReason.Done);
                return;
            }

            var isStripped = isFirst && session.PayloadsReceived == batch.Count
                && table.Settings is { Join: FlowJoin.Token, KeepsToken: false };
            isFirst = false;
            PassOn(session, flow, isStripped ? payload[FlowTable.TokenBytes..] : payload, isStripped);
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is EndFlow)
        {
            session.Close(CloseReason.Done);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason) => Leave(session, reason);

    internal override void OnReplaced(SessionContext session)
    {
        if (session.MustEnd)
        {
            Leave(session, CloseReason.Failed);
        }
    }

    internal override bool MayEndNow(SessionContext session) => false;   // it ends with its control session

    private static void PassOn(SessionContext session, Flow flow, ReadOnlySpan<byte> payload, bool isStripped)
    {
        if (isStripped && payload.IsEmpty)
        {
            return;   // nothing but the token
        }

        if (flow.Group.TryEnter(payload.Length))
        {
            flow.Group.Control.Self.Tell(new FlowPayload(flow, payload.ToArray()), ActorRefs.NoSender);
        }
        else
        {
            session.CountDrop(DropReason.MailboxFull);
        }
    }

    private void Leave(SessionContext session, CloseReason reason)
    {
        if (_flow is { } flow)
        {
            _flow = null;
            table.Leave(flow, reason);
        }
        else
        {
            table.Abandon(session, reason);   // of a handler before, whose flow this one was not asked about
        }
    }
}

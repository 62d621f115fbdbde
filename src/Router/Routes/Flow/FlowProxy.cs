using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A control session of a proxy: its flows go to the upstream that it has reached.</summary>
internal sealed class FlowControlProxy(FlowTable table, ProxyRoute proxy) : TcpProxyHandler(proxy)
{
    private FlowGroup? _group;

    public override void OnOpened(SessionContext session)
    {
        _group = table.Open(session, isReady: false);
        base.OnOpened(session);
    }

    public override void OnMessage(SessionContext session, object message)
    {
        switch (message)
        {
            case FlowJoined:
                _group!.OnJoined();
                break;
            case FlowLeft:
                _group!.OnLeft();
                break;
            default:
                base.OnMessage(session, message);
                break;
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        base.OnClosed(session, reason);
        if (_group is { } group)
        {
            table.Close(group);
        }
    }

    internal override bool KeepsPeerSilent(SessionContext session) =>
        _group is { HasFlows: true } || base.KeepsPeerSilent(session);

    protected override void OnConnected(SessionContext session)
    {
        _group!.Upstream = Attempts.Held;
        _group.IsReady = true;
    }
}

/// <summary>A flow of a proxy.</summary>
internal sealed class FlowMediaProxy(FlowTable table, ProxyRoute proxy) : UdpProxyHandler(proxy)
{
    private Flow? _flow;

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        if (_flow is null && Join(session, batch) is { } refusal)
        {
            session.CountDrop(refusal, batch.Count);
            session.Close(CloseReason.Done);
            return;
        }

        base.OnReceived(session, batch);
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is EndFlow)
        {
            session.Close(CloseReason.Done);
        }
        else
        {
            base.OnMessage(session, message);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        base.OnClosed(session, reason);
        Leave(reason);
    }

    /// <summary>It ends with its control session.</summary>
    internal override bool MayEndNow(SessionContext session) => _flow is null && base.MayEndNow(session);

    internal override void OnReplaced(SessionContext session)
    {
        base.OnReplaced(session);
        if (session.MustEnd)
        {
            Leave(CloseReason.Failed);
        }
    }

    /// <returns>Null, or why not: another took the last place meanwhile, or the control session has ended.</returns>
    private DropReason? Join(SessionContext session, PayloadBatch batch)
    {
        _flow = table.Join(session, batch.First, out var refusal);
        if (_flow is not { } flow)
        {
            return refusal;
        }

        if (flow.Group.Upstream is { } upstream)
        {
            Pin(upstream);
        }

        return null;
    }

    private void Leave(CloseReason reason)
    {
        if (_flow is { } flow)
        {
            _flow = null;
            table.Leave(flow, reason);
        }
    }
}

using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>How a datagram session becomes a flow of a control session.</summary>
internal enum FlowJoin
{
    /// <summary>It comes from a control session's address: the youngest one's that has room.</summary>
    Address,

    /// <summary>Its first datagram begins with a token that the control session issued.</summary>
    Token,
}

/// <summary>What joins flows to control sessions, as configured. Immutable.</summary>
/// <param name="Join">By what.</param>
/// <param name="KeepsToken">Whether the token stays in the first datagram; else it is taken off, and a datagram that
/// holds nothing else is not passed on.</param>
/// <param name="MaxFlows">Flows of one control session at once, and tokens of it that are not used. At least 1.</param>
/// <param name="JoinTimeout">How long after a control session begins, or issues a token, a flow may join by it.</param>
/// <param name="EndsWithLastFlow">A control session ends when the last of its flows has.</param>
/// <param name="MailboxBytes">What may wait between a control session and its flows, each way, bytes.</param>
internal sealed record FlowRouteSettings(
    FlowJoin Join,
    bool KeepsToken,
    int MaxFlows,
    TimeSpan JoinTimeout,
    bool EndsWithLastFlow,
    int MailboxBytes = 1 << 20);

/// <summary>
/// TCP sessions are control sessions, UDP sessions their flows: they end together, and what is done with both is one
/// route's, a proxy or a handler.
/// </summary>
/// <param name="name">As configured.</param>
/// <param name="inner">A <see cref="ProxyRoute"/>, or a <see cref="HandlerRoute"/> whose handlers are of
/// <see cref="FlowHandler"/>.</param>
/// <param name="table">Its control sessions and flows.</param>
internal sealed class FlowRoute(string name, Route inner, FlowTable table) : Route(name)
{
    /// <summary>Control sessions and flows that are known: for tests of what is left over.</summary>
    internal (int Groups, int Flows, int Tokens) Known => table.Known;

    /// <summary>What is done with both; its name is what the configuration has.</summary>
    internal Route Inner => inner;

    /// <summary>The same over another route. If that is of the same type, flows of control sessions that are open
    /// still join them.</summary>
    internal FlowRoute Over(Route other)
    {
        if (ReferenceEquals(other, inner))
        {
            return this;
        }

        return new FlowRoute(Name, other, other.GetType() == inner.GetType() ? table : table.Empty());
    }

    internal override bool Involves(Route route) => base.Involves(route) || ReferenceEquals(inner, route);

    internal override DropReason? Refuse(in SocketAddr peer, ReadOnlySpan<byte> first) =>
        table.Find(peer, first, out var refusal) is null ? refusal : null;

    internal override SessionHandler CreateHandler(SessionContext session) => (inner, session.Transport) switch
    {
        (ProxyRoute proxy, SessionTransport.Tcp) => new FlowControlProxy(table, proxy),
        (ProxyRoute proxy, _) => new FlowMediaProxy(table, proxy),
        (_, SessionTransport.Tcp) => new FlowControlHandler(table, (FlowHandler)inner.CreateHandler(session)),
        _ => new FlowMediaHandler(table),
    };

    internal override void OnAbandoned(SessionContext session, CloseReason reason) => table.Abandon(session, reason);
}

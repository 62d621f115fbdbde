using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// A handler of a control session (TCP) that sees its flows (UDP) as well: one instance for all of them, one call at a
/// time, on the control session's loop. For routes of type <c>flow</c>.
/// </summary>
public abstract class FlowHandler : SessionHandler
{
    /// <summary>The session's flows; set before <see cref="SessionHandler.OnOpened"/>.</summary>
    public FlowGroup Flows { get; internal set; } = null!;

    /// <summary>A flow has joined.</summary>
    public virtual void OnFlowJoined(SessionContext control, Flow flow)
    {
    }

    /// <summary>A flow's peer has sent a datagram. The bytes are a copy, the handler's to keep.</summary>
    public virtual void OnFlowReceived(SessionContext control, Flow flow, ReadOnlyMemory<byte> payload)
    {
    }

    /// <summary>A flow has ended while its control session goes on: nothing can be sent by it any more.</summary>
    public virtual void OnFlowClosed(SessionContext control, Flow flow, CloseReason reason)
    {
    }
}

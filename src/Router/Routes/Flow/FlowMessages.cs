using Router.Diagnostics;

namespace Router.Routes;

/// <summary>To a flow's session: end.</summary>
internal sealed class EndFlow
{
    public static readonly EndFlow Instance = new();
}

/// <summary>To a control session: a flow has joined.</summary>
internal sealed record FlowJoined(Flow Flow);

/// <summary>To a control session: a flow has ended.</summary>
internal sealed record FlowLeft(Flow Flow, CloseReason Reason);

/// <summary>To a control session: what a flow's peer sent.</summary>
internal sealed record FlowPayload(Flow Flow, byte[] Payload)
{
    /// <summary>What a message costs beside its bytes, roughly: so that empty datagrams have a limit too.</summary>
    public const int OverheadBytes = 128;
}

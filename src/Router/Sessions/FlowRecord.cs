namespace Router.Sessions;

/// <summary>The access record of a control session and all its flows, once the last of them has ended.</summary>
/// <param name="Control">The control session.</param>
/// <param name="Flows">Flows that it had.</param>
/// <param name="Members">Each flow's session and peer, as <c>id=peer</c>, separated by spaces.</param>
/// <param name="PayloadsIn">Datagrams received, over all flows; the next three likewise.</param>
/// <param name="BytesIn">Bytes received.</param>
/// <param name="PayloadsOut">Datagrams sent.</param>
/// <param name="BytesOut">Bytes sent.</param>
internal sealed record FlowRecord(
    SessionContext Control,
    int Flows,
    string Members,
    long PayloadsIn,
    long BytesIn,
    long PayloadsOut,
    long BytesOut);

using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One unixpacket session of an exec route: a message of the peer is one that the child reads, and one that it
/// writes is the peer's.</summary>
/// <remarks>
/// The peer's end is the child's end of input. An empty message cannot be told from that by a child, and is dropped.
/// What the child does not read yet stops the peer.
/// </remarks>
internal sealed class ExecPacketHandler(ExecRoute route) : ExecConnectionHandler(route)
{
    private PacketPair? _pair;

    protected override bool IsJoined => _pair is not null;

    protected override bool ClientHasEnded => _pair!.ClientHasEnded;

    public override void OnOpened(SessionContext session)
    {
        base.OnOpened(session);
        if (!session.IsClosed && session.Packets!.Socket.Loop is null
            && session.Watch(session.Packets.Socket, IoReadiness.Readable) < 0)
        {
            session.CountDrop(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
        }
    }

    protected override bool IsRead(SessionContext session) =>
        _pair!.UpstreamHasEnded && !session.Packets!.Output.HasUnsent;

    protected override IoSocket ChannelOf(ExecChild child) => child.Packets!;

    protected override void Join(SessionContext session, ExecChild child) =>
        _pair = new PacketPair(session, child.Packets!, static _ => { })
        {
            SurvivesUpstream = true,
            DropsEmpty = true,
        };

    protected override void Part(CloseReason reason)
    {
        _pair?.Close();
        _pair = null;
    }

    protected override void OnReady(SessionContext session, IoSocket socket, IoReadiness ready) =>
        _pair!.OnReady(socket, ready);
}

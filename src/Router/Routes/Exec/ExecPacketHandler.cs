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

    protected override IoSocket ChannelOf(ExecChild child) => child.Packets!;

    protected override ConnectionPair Join(SessionContext session, ExecChild child) =>
        new PacketPair(session, child.Packets!, static _ => { })
        {
            SurvivesUpstream = true,
            DropsEmpty = true,
        };

    protected override bool IsRead(ConnectionPair pair) => pair is { UpstreamHasEnded: true, HoldsUpstream: false };
}

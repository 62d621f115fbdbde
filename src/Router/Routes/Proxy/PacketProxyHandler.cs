using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One unixpacket session of a proxy: its messages go to a unixpacket, unixgram or UDP upstream, and the
/// upstream's to the client.</summary>
/// <remarks>Such an upstream accepts or refuses at once: there is no connect timeout.</remarks>
internal sealed class PacketProxyHandler(ProxyRoute route) : ConnectionProxyHandler(route)
{
    protected override void Connect(SessionContext session)
    {
        while (Attempts.Next(Route, session) is { } upstream)
        {
            var result = session.Loop.Network.ConnectDatagram(
                upstream.Address, out var socket, session.Shard.Settings.ReceiveBuffer);
            if (result >= 0)
            {
                Attempts.OnOpened(socket!);
                result = session.Watch(socket!, IoReadiness.Readable);
                if (result >= 0)
                {
                    Join(session, socket!);
                    return;
                }

                socket!.Dispose();
            }

            if (!Attempts.MayGoOn(Route, session, result))
            {
                return;
            }
        }

        Attempts.GiveUp(session);
    }

    private void Join(SessionContext session, ConnectedDatagramSocket upstream)
    {
        TellConnected(session);
        Pair = new PacketPair(session, upstream, result => Attempts.Mark(Route, result));
        if (session.Watch(session.Packets!.Socket, IoReadiness.Readable) < 0)
        {
            session.CountDrop(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
        }
    }
}

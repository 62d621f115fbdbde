using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>The calls on a datagram session's socket towards its upstream, and what their results say.</summary>
internal static unsafe class UpstreamDatagrams
{
    private const int SocketAttempts = 3;

    /// <summary>Makes a connected socket, and not to itself.</summary>
    /// <remarks>
    /// An upstream on this host whose port nobody has bound now: the kernel may pick that very port for the socket that
    /// connects to it, and such a socket hears itself and keeps the upstream from its port.
    /// </remarks>
    /// <returns>0 or a negative errno.</returns>
    public static int Open(
        SessionContext session, in SocketAddr address, UpstreamReplies replies, out ConnectedDatagramSocket? socket)
    {
        var network = session.Loop.Network;
        var receiveBuffer = session.Shard.Settings.ReceiveBuffer;
        if (replies == UpstreamReplies.Follow)
        {
            return network.FollowDatagram(address, out socket, receiveBuffer);
        }

        for (var attempt = 1; ; attempt++)
        {
            var result = network.ConnectDatagram(address, out socket, receiveBuffer);
            if (result < 0 || socket!.LocalAddress != address)
            {
                return result;
            }

            socket.Dispose();
            if (attempt == SocketAttempts)
            {
                return -(int)Errno.ECONNREFUSED;
            }
        }
    }

    /// <summary>Receives the next replies right into the listener's send queue; one that is too long is a counted
    /// drop.</summary>
    /// <returns>How many replies came, those that were too long included; or a negative errno.</returns>
    public static int Receive(SessionContext session, ConnectedDatagramSocket socket)
    {
        var room = session.Datagrams.Reserve(DatagramBatch.SlotBytes);
        var received = socket.ReceiveRun(room, DatagramBatch.SlotBytes, out var segment);
        if (received == -(int)Errno.EMSGSIZE)
        {
            session.CountDrop(DropReason.TooLong);
            return 1;
        }

        if (received < 0)
        {
            return received;
        }

        var before = session.PayloadsSent;
        var count = 1;
        if (segment > 0 && segment < received)
        {
            count = session.Datagrams.CommitTrain(session, received, segment);
        }
        else
        {
            session.Datagrams.Commit(session, received);
        }

        KernelDrops.CountNowAndThen(session, socket, before, session.PayloadsSent);
        return count;
    }

    /// <summary>Whether the result tells of the upstream or of the way to it: not of this datagram, and not of this
    /// host's buffers.</summary>
    public static bool IsRefusal(int result) =>
        UpstreamErrors.OfSend((Errno)(-result)) == UpstreamErrorClass.Upstream;

    public static DropReason DropReasonOf(int result) => UpstreamErrors.OfSend((Errno)(-result)) switch
    {
        UpstreamErrorClass.Retry => DropReason.SendFull,
        UpstreamErrorClass.Upstream => DropReason.UpstreamRefused,
        _ => DropReason.SendRefused,
    };
}

/// <summary>What a datagram session still expects of one upstream.</summary>
internal struct ExpectedReplies
{
    /// <summary>Datagrams sent less those received.</summary>
    public int Unanswered;

    /// <summary>Replies before the session may end, where their number is configured.</summary>
    public long Owed;

    public readonly bool Any => Unanswered > 0 || Owed > 0;

    public void OnSent(int count, int repliesEach)
    {
        // What is owed beyond the answers to all before is credit for the first of them, not for those behind it.
        var owing = Unanswered > 0 || Owed <= 0 ? count : count - 1;
        Owed = Math.Max(0, Owed) + ((long)owing * repliesEach);

        // Several replies to one datagram are no credit for the next.
        Unanswered = Math.Max(0, Unanswered) + count;
    }

    public void OnReceived(int count)
    {
        Owed -= count;
        Unanswered -= count;
    }
}

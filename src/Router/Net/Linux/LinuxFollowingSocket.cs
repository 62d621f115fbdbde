namespace Router.Net;

/// <summary>
/// A UDP socket that is not connected, so that the upstream may answer from another port, and that sends there next.
/// </summary>
/// <remarks>
/// ICMP errors reach such a socket only if it asks (IP_RECVERR, ip(7)); they are then queued as well, and the queue has
/// to be emptied, or the loop would be told of it for ever.
/// </remarks>
internal sealed unsafe class LinuxFollowingSocket : ConnectedDatagramSocket
{
    /// <summary>Foreign datagrams, or queued errors, passed over in one call.</summary>
    private const int PassedOverMax = 64;

    private readonly LinuxCalls _calls;
    private SocketAddr _remote;
    private long _foreignDrops;
    private uint _dropsSeen;

    public LinuxFollowingSocket(LinuxCalls calls, int fd, in SocketAddr remote)
        : base(fd)
    {
        _calls = calls;
        _remote = remote;
        LocalAddress = calls.LocalAddress(fd);
    }

    public override SocketAddr LocalAddress { get; }

    public override long ForeignDrops => _foreignDrops;

    public override int Receive(byte* buffer, int capacity)
    {
        for (var i = 0; i < PassedOverMax; i++)
        {
            var result = OneDatagram.Receive(_calls, Descriptor, buffer, capacity, out var from);
            if (result < 0 && result != -(int)Errno.EMSGSIZE)
            {
                DiscardErrors();
                return result;
            }

            if (from.HasAddressOf(_remote))
            {
                _remote = from;
                return result;
            }

            _foreignDrops++;
        }

        return -(int)Errno.EAGAIN;   // the loop tells again
    }

    public override long TakeKernelDrops() => _calls.NewDropsAt(Descriptor, ref _dropsSeen);

    public override int Send(byte* payload, int length) =>
        OneDatagram.Send(_calls, Descriptor, payload, length, _remote);

    protected override void Close() => _calls.Close(Descriptor);

    /// <summary>The error itself has been told by the call that failed.</summary>
    private void DiscardErrors()
    {
        var header = default(MessageHeader);
        for (var i = 0; i < PassedOverMax; i++)
        {
            if (_calls.ReceiveMany(Descriptor, &header, 1, Libc.MsgDontWait | Libc.MsgErrorQueue) < 0)
            {
                return;
            }
        }
    }
}

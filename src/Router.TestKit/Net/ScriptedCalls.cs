using Router.Net;

namespace Router.TestKit.Net;

/// <summary>The calls whose outcome a test can script.</summary>
internal enum LinuxCall
{
    Socket,
    Bind,
    Connect,
    Listen,
    Accept,
    Receive,
    Send,
    ReceiveMany,
    SendMany,
    EpollCreate,
    EventFd,
    EpollWait,
    EpollControl,
    Pipe,
    SetPipeSize,
    Splice,
}

/// <summary>Linux's calls with failures where the test wants them; what is not scripted goes to the kernel.</summary>
/// <remarks>One thread only: the one that drives the loop.</remarks>
internal sealed unsafe class ScriptedCalls : LinuxCalls
{
    private const int AsIs = int.MaxValue;

    private readonly Dictionary<LinuxCall, Queue<int>> _script = [];

    /// <summary>Datagrams in each message of each sendmmsg that reached the kernel, call by call.</summary>
    public List<int[]> Sends { get; } = [];

    /// <summary>Datagrams in each message offered to each sendmmsg, scripted to fail or not.</summary>
    public List<int[]> Offers { get; } = [];

    /// <summary>Cuts the messages that the next recvmmsg returns: marks them as longer than their slot.</summary>
    public bool MarkTruncated { get; set; }

    /// <summary>The number of calls of splice, scripted or not.</summary>
    public int Splices { get; private set; }

    /// <summary>The number of calls of epoll_ctl, scripted or not.</summary>
    public int PollChanges { get; private set; }

    /// <summary>Sockets opened or accepted, and ends of pipes, through these calls and not closed.</summary>
    public HashSet<int> OpenSockets { get; } = [];

    /// <summary>Descriptors closed that are no open socket: pollers, and sockets closed twice.</summary>
    public int StrayCloses { get; private set; }

    /// <summary>The number of scripted outcomes that no call has met yet.</summary>
    public int Left => _script.Values.Sum(queue => queue.Count);

    /// <summary>The next calls fail with these, in order.</summary>
    public ScriptedCalls Fail(LinuxCall call, params Errno[] errnos)
    {
        foreach (var errno in errnos)
        {
            Script(call).Enqueue(-(int)errno);
        }

        return this;
    }

    /// <summary>The next <paramref name="count"/> calls go to the kernel, before what is scripted after
    /// them.</summary>
    public ScriptedCalls Pass(LinuxCall call, int count = 1)
    {
        for (var i = 0; i < count; i++)
        {
            Script(call).Enqueue(AsIs);
        }

        return this;
    }

    /// <summary>The next sendmmsg takes this many messages at most.</summary>
    public ScriptedCalls StopEarly(int messages)
    {
        Script(LinuxCall.SendMany).Enqueue(messages);
        return this;
    }

    /// <summary>The next splice moves this many bytes at most.</summary>
    public ScriptedCalls Shorten(int bytes)
    {
        Script(LinuxCall.Splice).Enqueue(bytes);
        return this;
    }

    public override int Socket(int family, int type, int protocol) =>
        Next(LinuxCall.Socket, out var result) ? result : Opened(base.Socket(family, type, protocol));

    public override int Bind(int fd, SocketAddr* address) =>
        Next(LinuxCall.Bind, out var result) ? result : base.Bind(fd, address);

    public override int Connect(int fd, SocketAddr* address) =>
        Next(LinuxCall.Connect, out var result) ? result : base.Connect(fd, address);

    public override int Listen(int fd, int backlog) =>
        Next(LinuxCall.Listen, out var result) ? result : base.Listen(fd, backlog);

    public override int Accept(int fd, SocketAddr* peer) =>
        Next(LinuxCall.Accept, out var result) ? result : Opened(base.Accept(fd, peer));

    public override void Close(int fd)
    {
        StrayCloses += OpenSockets.Remove(fd) ? 0 : 1;
        base.Close(fd);
    }

    public override int Receive(int fd, byte* buffer, int length, int flags) =>
        Next(LinuxCall.Receive, out var result) ? result : base.Receive(fd, buffer, length, flags);

    public override int Send(int fd, byte* payload, int length, int flags) =>
        Next(LinuxCall.Send, out var result) ? result : base.Send(fd, payload, length, flags);

    public override int Pipe(int* ends)
    {
        var result = Next(LinuxCall.Pipe, out var scripted) ? scripted : base.Pipe(ends);
        if (result == 0)
        {
            Opened(ends[0]);
            Opened(ends[1]);
        }

        return result;
    }

    public override int SetPipeSize(int fd, int bytes) =>
        Next(LinuxCall.SetPipeSize, out var result) ? result : base.SetPipeSize(fd, bytes);

    public override int Splice(int from, int to, int length, uint flags)
    {
        Splices++;
        if (Next(LinuxCall.Splice, out var result))
        {
            if (result < 0)
            {
                return result;
            }

            length = Math.Min(length, result);
        }

        return base.Splice(from, to, length, flags);
    }

    public override int EpollCreate() => Next(LinuxCall.EpollCreate, out var result) ? result : base.EpollCreate();

    public override int EventFd() => Next(LinuxCall.EventFd, out var result) ? result : base.EventFd();

    public override int EpollWait(int poll, void* events, int count, int timeoutMs) =>
        Next(LinuxCall.EpollWait, out var result) ? result : base.EpollWait(poll, events, count, timeoutMs);

    public override int EpollControl(int poll, int operation, int fd, void* change)
    {
        PollChanges++;
        return Next(LinuxCall.EpollControl, out var result) ? result : base.EpollControl(poll, operation, fd, change);
    }

    public override int ReceiveMany(int fd, MessageHeader* headers, int count, int flags)
    {
        if (Next(LinuxCall.ReceiveMany, out var result))
        {
            return result;
        }

        var received = base.ReceiveMany(fd, headers, count, flags);
        for (var i = 0; MarkTruncated && i < received; i++)
        {
            headers[i].Flags |= Libc.MsgTruncated;
        }

        return received;
    }

    public override int SendMany(int fd, MessageHeader* headers, int count, int flags)
    {
        Offers.Add(CountDatagrams(headers, count));
        if (Next(LinuxCall.SendMany, out var result))
        {
            if (result < 0)
            {
                return result;
            }

            count = Math.Min(count, result);
        }

        var sent = base.SendMany(fd, headers, count, flags);
        Sends.Add(CountDatagrams(headers, sent));
        return sent;
    }

    private static int[] CountDatagrams(MessageHeader* headers, int count)
    {
        var datagrams = new int[Math.Max(0, count)];
        for (var i = 0; i < count; i++)
        {
            datagrams[i] = CountDatagrams(headers[i]);
        }

        return datagrams;
    }

    /// <summary>One, or as many as the segment size (UDP_SEGMENT, always the last control message) makes of the
    /// bytes.</summary>
    private static int CountDatagrams(in MessageHeader header)
    {
        const int SegmentBytes = 24;   // of a control message with a 16-bit size
        if (header.ControlLength < SegmentBytes)
        {
            return 1;
        }

        var control = (ControlHeader*)(header.Control + header.ControlLength - SegmentBytes);
        if (control->Level != Libc.SolUdp || control->Type != Libc.UdpSegment)
        {
            return 1;
        }

        var bytes = 0;
        for (var i = 0; i < (int)header.VectorCount; i++)
        {
            bytes += (int)header.Vectors[i].Length;
        }

        var segment = *(ushort*)(control + 1);
        return (bytes + segment - 1) / segment;
    }

    private int Opened(int fd)
    {
        if (fd >= 0 && !OpenSockets.Add(fd))
        {
            throw new CheckFailedException($"descriptor {fd} was closed behind these calls' back");
        }

        return fd;
    }

    private Queue<int> Script(LinuxCall call)
    {
        if (!_script.TryGetValue(call, out var queue))
        {
            _script[call] = queue = new Queue<int>();
        }

        return queue;
    }

    private bool Next(LinuxCall call, out int result)
    {
        result = AsIs;
        return _script.TryGetValue(call, out var queue) && queue.TryDequeue(out result) && result != AsIs;
    }
}

namespace Router.Net;

/// <summary>A pipe by pipe2(2), filled and drained by splice(2).</summary>
/// <remarks>
/// Both of its ends and both sockets are non-blocking. A send into a stream that is shut raises SIGPIPE, since splice
/// knows no MSG_NOSIGNAL: the runtime ignores that signal for the whole process.
/// </remarks>
internal sealed unsafe class LinuxStreamPipe : StreamPipe
{
    /// <summary>What a pipe has by itself, see pipe(7): less is not asked for where more is refused.</summary>
    private const int BytesMin = 64 * 1024;

    private readonly LinuxCalls _calls;
    private readonly int _bytes;
    private int _readEnd;
    private int _writeEnd;

    private LinuxStreamPipe(LinuxCalls calls, int readEnd, int writeEnd, int bytes, int capacity)
    {
        _calls = calls;
        _readEnd = readEnd;
        _writeEnd = writeEnd;
        _bytes = bytes;
        Capacity = capacity;
    }

    public override int Capacity { get; }

    /// <summary>Makes one of <paramref name="bytes"/> bytes, rounded up as fcntl(2) says of F_SETPIPE_SZ; or of half as
    /// many, and again, where /proc/sys/fs/pipe-user-pages-soft or pipe-max-size forbids that.</summary>
    /// <returns>0 or a negative errno: -EMFILE where it would take descriptors that are kept in reserve, -EPERM where
    /// not even 64 KiB are allowed.</returns>
    public static int Create(LinuxCalls calls, DescriptorReserve reserve, int bytes, out StreamPipe? pipe)
    {
        pipe = null;
        var ends = stackalloc int[2];
        var result = calls.Pipe(ends);
        if (result < 0)
        {
            return result;
        }

        result = reserve.Includes(Math.Max(ends[0], ends[1]))
            ? -(int)Errno.EMFILE
            : SetSize(calls, ends[1], ref bytes);
        if (result < 0)
        {
            calls.Close(ends[0]);
            calls.Close(ends[1]);
            return result;
        }

        pipe = new LinuxStreamPipe(calls, ends[0], ends[1], bytes, result);
        return 0;
    }

    public override int Fill(StreamSocket from)
    {
        Check.That(Buffered == 0);
        var result = Splice(from.Descriptor, _writeEnd, _bytes);
        Buffered = Math.Max(0, result);
        return result;
    }

    public override int Drain(StreamSocket to)
    {
        var result = Splice(_readEnd, to.Descriptor, Buffered);
        Buffered -= Math.Max(0, result);
        return result;
    }

    public override int Read(byte* buffer, int capacity)
    {
        var result = _calls.Read(_readEnd, buffer, Math.Min(capacity, Buffered));
        Buffered -= Math.Max(0, result);
        return result;
    }

    public override void Dispose()
    {
        if (_readEnd >= 0)
        {
            _calls.Close(_readEnd);
            _calls.Close(_writeEnd);
            _readEnd = _writeEnd = -1;
            Buffered = 0;
        }
    }

    private static int SetSize(LinuxCalls calls, int fd, ref int bytes)
    {
        var result = calls.SetPipeSize(fd, bytes);
        while (result == -(int)Errno.EPERM && bytes > BytesMin)
        {
            bytes = Math.Max(bytes / 2, BytesMin);
            result = calls.SetPipeSize(fd, bytes);
        }

        return result;
    }

    /// <summary>splice(2), whose refusals are told as -EINVAL: ENOSYS and EPERM are those of a sandbox.</summary>
    private int Splice(int from, int to, int most)
    {
        int result;
        do
        {
            result = _calls.Splice(from, to, most, Libc.SpliceMove | Libc.SpliceNonBlock);
        }
        while (result == -(int)Errno.EINTR);
        return (Errno)(-result) is Errno.ENOSYS or Errno.EPERM ? -(int)Errno.EINVAL : result;
    }
}

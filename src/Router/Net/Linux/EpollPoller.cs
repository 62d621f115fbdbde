using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Readiness by level-triggered epoll(7), woken by an eventfd(2).</summary>
/// <remarks>
/// An event carries the socket's slot and the slot's generation: one of a socket closed earlier in the same wait,
/// whose slot or descriptor is in use again, is known as stale and ignored. A wait allocates nothing.
/// </remarks>
internal sealed unsafe class EpollPoller : IPoller
{
    private const int EventsPerWait = 512;
    private const ulong WakeMark = ulong.MaxValue;

    // struct epoll_event is packed on x64 only.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventBytes = DataOffset + sizeof(ulong);

    private readonly LinuxCalls _calls;
    private readonly int _poll;
    private readonly byte* _events;
    private readonly Lock _wakeLock = new();   // so that a late Wake never writes to a descriptor closed and given away
    private int _wake;
    private int _wakePending;
    private IoSocket?[] _sockets = new IoSocket?[64];
    private uint[] _generations = new uint[64];
    private int[] _free = new int[64];
    private int _freeCount;
    private int _used;
    private bool _disposed;

    public EpollPoller(LinuxCalls calls)
    {
        _calls = calls;
        _events = (byte*)NativeMemory.AllocZeroed(EventsPerWait, (nuint)EventBytes);
        _poll = calls.EpollCreate();
        _wake = calls.EventFd();

        // Edge-triggered: every write is told once, so the counter need never be read back.
        var added = Control(Libc.EpollAdd, _wake, Libc.EpollIn | Libc.EpollEdge, WakeMark);
        if (Math.Min(Math.Min(_poll, _wake), added) < 0)
        {
            // At start only, and an exception: without these two descriptors there is no loop at all.
            var failed = _poll < 0 ? ("epoll_create1", _poll) : _wake < 0 ? ("eventfd", _wake) : ("epoll_ctl", added);
            Dispose();
            throw new IOException($"{failed.Item1}: {ErrnoText.Describe(failed.Item2, SocketOperation.Poll)}");
        }
    }

    public int Add(IoSocket socket, IoReadiness interest)
    {
        Check.That(socket.Slot < 0);
        var slot = TakeSlot();
        var exclusive = socket.WakesOne ? Libc.EpollExclusive : 0;
        var result = Control(Libc.EpollAdd, socket.Descriptor, ToEvents(interest) | exclusive, Mark(slot));
        if (result < 0)
        {
            _free[_freeCount++] = slot;
            return result;
        }

        _sockets[slot] = socket;
        socket.Slot = slot;
        return 0;
    }

    public void Modify(IoSocket socket, IoReadiness interest)
    {
        Check.That(_sockets[socket.Slot] == socket);
        if (socket.WakesOne)
        {
            // What was added with EPOLLEXCLUSIVE cannot be changed, see epoll_ctl(2). It keeps its slot.
            Control(Libc.EpollDelete, socket.Descriptor, 0, 0);
            Control(
                Libc.EpollAdd, socket.Descriptor, ToEvents(interest) | Libc.EpollExclusive, Mark(socket.Slot));
            return;
        }

        Control(Libc.EpollModify, socket.Descriptor, ToEvents(interest), Mark(socket.Slot));
    }

    public void Remove(IoSocket socket)
    {
        Control(Libc.EpollDelete, socket.Descriptor, 0, 0);
        Forget(socket);
    }

    /// <summary>Frees the slot only: close(2) takes the descriptor off the epoll instance, see epoll(7), which saves a
    /// call per connection.</summary>
    /// <remarks>A child between fork and exec may hold the descriptor a moment longer. An event of it then carries a
    /// generation that is past.</remarks>
    public void Forget(IoSocket socket)
    {
        var slot = socket.Slot;
        Check.That(_sockets[slot] == socket);
        _sockets[slot] = null;
        _generations[slot]++;
        _free[_freeCount++] = slot;
        socket.Slot = -1;
    }

    public int Wait(int timeoutMs)
    {
        var count = _calls.EpollWait(_poll, _events, EventsPerWait, timeoutMs);
        if (count < 0)
        {
            // EINTR: a signal or a debugger; the loop comes again. Anything else is a defect of ours.
            Check.That(count == -(int)Errno.EINTR);
            return 0;
        }

        return Tell(count);
    }

    public void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) != 0)
        {
            return;
        }

        lock (_wakeLock)
        {
            if (_wake >= 0)
            {
                var one = 1UL;
                _ = Libc.Write(_wake, &one, sizeof(ulong));
            }
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        lock (_wakeLock)
        {
            Close(_wake);
            _wake = -1;
        }

        Close(_poll);
        NativeMemory.Free(_events);
    }

    /// <summary>A body of its own, so that it is compiled to its best while the thread's loop runs on.</summary>
    private int Tell(int count)
    {
        var told = 0;
        for (var i = 0; i < count; i++)
        {
            var item = _events + (i * EventBytes);
            var mark = *(ulong*)(item + DataOffset);
            if (mark == WakeMark)
            {
                // A Wake that still sees the flag set needs no write: this wait is ending, and what it announces is
                // in place.
                Interlocked.Exchange(ref _wakePending, 0);
                continue;
            }

            var slot = (int)(uint)mark;
            if (_generations[slot] == (uint)(mark >> 32) && _sockets[slot] is { } socket)
            {
                told++;
                socket.Tell(ToReadiness(*(uint*)item));
            }
        }

        return told;
    }

    private void Close(int fd)
    {
        if (fd >= 0)
        {
            _calls.Close(fd);
        }
    }

    private static uint ToEvents(IoReadiness interest) => (uint)interest & (Libc.EpollIn | Libc.EpollOut);

    private static IoReadiness ToReadiness(uint events)
    {
        var ready = (IoReadiness)(events & (Libc.EpollIn | Libc.EpollOut));
        var failed = (events & (Libc.EpollErr | Libc.EpollHup)) != 0;
        return failed ? ready | IoReadiness.Failed | IoReadiness.Readable : ready;
    }

    private ulong Mark(int slot) => ((ulong)_generations[slot] << 32) | (uint)slot;

    private int Control(int operation, int fd, uint events, ulong mark)
    {
        var change = stackalloc byte[16];
        *(uint*)change = events;
        *(ulong*)(change + DataOffset) = mark;
        return _calls.EpollControl(_poll, operation, fd, change);
    }

    private int TakeSlot()
    {
        if (_freeCount > 0)
        {
            return _free[--_freeCount];
        }

        if (_used == _sockets.Length)
        {
            Array.Resize(ref _sockets, _used * 2);
            Array.Resize(ref _generations, _used * 2);
            Array.Resize(ref _free, _used * 2);
        }

        return _used++;
    }
}

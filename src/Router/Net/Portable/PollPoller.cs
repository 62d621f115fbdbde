using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Readiness by poll(2), on Unix systems: the cost of a wait grows with the number of sockets.</summary>
/// <remarks>poll(2) takes at most as many entries as the process may have descriptors, and here each socket has one. If
/// the limit has been lowered below what is open (prlimit(2)), they are polled in parts.</remarks>
internal unsafe class PollPoller : IPoller
{
    private const int WakeSlot = 0;

    /// <summary>Entries of a part, and how long a wait takes at most when it is done in parts.</summary>
    private const int PartEntries = 32, PartsWaitMs = 10;

    private readonly PortableWake _wake = new();
    private readonly Stack<int> _free = new();
    private IoSocket?[] _sockets = new IoSocket?[64];   // by slot
    private PollEntry* _entries;                        // likewise
    private int _used;
    private bool _isDisposed;

    public PollPoller()
    {
        _entries = (PollEntry*)NativeMemory.Alloc((nuint)_sockets.Length, (nuint)sizeof(PollEntry));
        _entries[_used++] = new PollEntry
        {
            Descriptor = PortableNetwork.DescriptorOf(_wake.Socket),
            Events = LibcPortable.PollIn,
        };
    }

    public int Add(IoSocket socket, IoReadiness interest)
    {
        Check.That(socket.Slot < 0 && socket.Descriptor >= 0);
        var slot = TakeSlot();
        _entries[slot] = new PollEntry { Descriptor = socket.Descriptor, Events = (short)interest };
        _sockets[slot] = socket;
        socket.Slot = slot;
        return 0;
    }

    public void Modify(IoSocket socket, IoReadiness interest) => _entries[socket.Slot].Events = (short)interest;

    public void Remove(IoSocket socket)
    {
        var slot = socket.Slot;
        Check.That(_sockets[slot] == socket);
        _sockets[slot] = null;
        _entries[slot] = new PollEntry { Descriptor = -1 };
        _free.Push(slot);
        socket.Slot = -1;
    }

    public int Wait(int timeoutMs)
    {
        var result = Poll(_entries, _used, timeoutMs);
        if (result == -(int)Errno.EINVAL)
        {
            WaitInParts(timeoutMs);
        }
        else if (result < 0)
        {
            // A signal, or no memory now: the loop comes again. Anything else is a defect of ours.
            Check.That((Errno)(-result) is Errno.EINTR or Errno.EAGAIN or Errno.ENOMEM);
            return 0;
        }

        return Tell();
    }

    public void Wake() => _wake.Send();

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _wake.Dispose();
            NativeMemory.Free(_entries);
            _entries = null;
        }
    }

    /// <summary>The system call; a test puts a failure in its place.</summary>
    /// <returns>Entries with something found, or a negative errno.</returns>
    protected virtual int Poll(PollEntry* entries, int count, int timeoutMs)
    {
        var result = LibcPortable.Poll(entries, (nuint)count, timeoutMs);
        return result < 0 ? -Marshal.GetLastSystemError() : result;
    }

    private void WaitInParts(int timeoutMs)
    {
        var found = 0;
        for (var at = 0; at < _used; at += PartEntries)
        {
            found += Math.Max(0, Poll(_entries + at, Math.Min(PartEntries, _used - at), timeoutMs: 0));
        }

        if (found == 0 && timeoutMs != 0)
        {
            _ = Poll(_entries, count: 1, timeoutMs < 0 ? PartsWaitMs : Math.Min(timeoutMs, PartsWaitMs));
        }
    }

    /// <summary>Tells each ready socket once. One that a receiver closes meanwhile has nothing found any more, and
    /// neither has one that takes its slot.</summary>
    private int Tell()
    {
        if (_entries[WakeSlot].Found != 0)
        {
            _entries[WakeSlot].Found = 0;
            _wake.Take();
        }

        var told = 0;
        for (var slot = WakeSlot + 1; slot < _used; slot++)
        {
            var found = _entries[slot].Found;
            if (found == 0)
            {
                continue;
            }

            _entries[slot].Found = 0;
            told++;
            _sockets[slot]!.Tell(ToReadiness(found));
        }

        return told;
    }

    private static IoReadiness ToReadiness(short found)
    {
        var ready = (IoReadiness)(found & (LibcPortable.PollIn | LibcPortable.PollOut));
        var hasFailed = (found & ~(LibcPortable.PollIn | LibcPortable.PollOut)) != 0;
        return hasFailed ? ready | IoReadiness.Failed | IoReadiness.Readable : ready;
    }

    private int TakeSlot()
    {
        if (_free.TryPop(out var slot))
        {
            return slot;
        }

        if (_used == _sockets.Length)
        {
            Array.Resize(ref _sockets, _used * 2);
            _entries = (PollEntry*)NativeMemory.Realloc(_entries, (nuint)(_used * 2 * sizeof(PollEntry)));
        }

        return _used++;
    }
}

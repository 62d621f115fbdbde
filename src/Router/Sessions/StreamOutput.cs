using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// The writing side of a stream: straight to the kernel while it takes everything, the rest in a rented buffer until it
/// does.
/// </summary>
/// <remarks>Loop thread only. Whoever feeds it stops reading while <see cref="HasUnsent"/>: that is the back-pressure,
/// and its bound
/// is what was read at once.</remarks>
internal class StreamOutput(StreamSocket socket, BufferPool buffers)
{
    private byte[]? _unsent;
    private StreamPipe? _pipe;
    private int _start;
    private int _end;
    private bool _finish;

    public StreamSocket Socket => socket;

    public bool HasUnsent => _unsent is not null || _pipe is { Buffered: > 0 };

    public int UnsentBytes => _end - _start + (_pipe?.Buffered ?? 0);

    /// <summary>Bytes go through a pipe: <see cref="Fill"/> and <see cref="Drain"/> instead of
    /// <see cref="Write"/>.</summary>
    public bool HasPipe => _pipe is not null;

    /// <summary>FIN was sent or waits behind the unsent bytes.</summary>
    public bool IsFinished => _finish;

    /// <summary>Sends or keeps all of it. Watches for writability while anything is kept.</summary>
    /// <returns>0 or a negative errno that ends the stream.</returns>
    public unsafe int Write(byte* bytes, int length)
    {
        Check.That(!_finish);
        var sent = 0;
        if (!HasUnsent)
        {
            while (sent < length)
            {
                var result = socket.Send(bytes + sent, length - sent);
                if (result < 0)
                {
                    if (IsBusy(result))
                    {
                        break;
                    }

                    return result;
                }

                sent += result;
                if (sent < length)
                {
                    break;   // a short write: the buffer is full; asking again would only be told so
                }
            }
        }

        if (sent < length)
        {
            Keep(new ReadOnlySpan<byte>(bytes + sent, length - sent));
        }

        return 0;
    }

    /// <summary>The socket is writable: sends what was kept.</summary>
    /// <returns>0 or a negative errno that ends the stream.</returns>
    public unsafe int Flush()
    {
        if (_pipe is { Buffered: > 0 } pipe)
        {
            var drained = Drain(pipe);
            if (drained < 0 || _pipe is { Buffered: > 0 })
            {
                return drained;
            }
        }

        if (_unsent is null)
        {
            return 0;
        }

        fixed (byte* bytes = _unsent)
        {
            var result = socket.Send(bytes + _start, _end - _start);
            if (result < 0)
            {
                return IsBusy(result) ? 0 : result;
            }

            _start += result;
        }

        if (_start == _end)
        {
            ReleaseBuffer();
            OnAllSent();
        }

        return 0;
    }

    /// <summary>Has what is read from now on come through a pipe; the output owns it.</summary>
    public void UsePipe(StreamPipe pipe)
    {
        Check.That(!HasUnsent && _pipe is null);
        _pipe = pipe;
    }

    /// <summary>Gives the pipe back, which is empty: what is read from now on is copied.</summary>
    public void LeavePipe()
    {
        Check.That(_pipe!.Buffered == 0);
        ReleasePipe();
    }

    /// <summary>Fills the pipe from the other stream, while nothing is unsent.</summary>
    /// <returns>As <see cref="StreamPipe.Fill"/>.</returns>
    public int Fill(StreamSocket from) => _pipe!.Fill(from);

    /// <summary>Ends this direction after what is unsent.</summary>
    public void Finish()
    {
        if (_finish)
        {
            return;
        }

        _finish = true;
        if (!HasUnsent)
        {
            socket.ShutdownWrite();
        }
    }

    /// <summary>Gives buffer and pipe back; the unsent bytes are gone.</summary>
    public void Release()
    {
        ReleaseBuffer();
        ReleasePipe();
    }

    /// <summary>Sends what is in the pipe; where that cannot be done, takes it out and sends it as a buffer.</summary>
    private int Drain(StreamPipe pipe)
    {
        var result = pipe.Drain(socket);
        if (result < 0 && !IsBusy(result))
        {
            if (result != -(int)Errno.EINVAL)
            {
                return result;   // the stream's error, which it tells only once
            }

            pipe.TurnOff();
            return TakeOut(pipe);
        }

        if (HasUnsent)
        {
            Watch(IoReadiness.Writable);
        }
        else
        {
            OnAllSent();
        }

        return 0;
    }

    /// <summary>Puts what is in the pipe before what is in the buffer, and gives the pipe back.</summary>
    private unsafe int TakeOut(StreamPipe pipe)
    {
        var (length, kept) = (pipe.Buffered, _end - _start);
        var all = buffers.Rent(length + kept);
        _unsent.AsSpan(_start, kept).CopyTo(all.AsSpan(length));
        ReleaseBuffer();
        (_unsent, _start, _end) = (all, 0, length + kept);
        fixed (byte* bytes = all)
        {
            for (var taken = 0; taken < length;)
            {
                var result = pipe.Read(bytes + taken, length - taken);
                if (result <= 0)
                {
                    return result == 0 ? -(int)Errno.EPIPE : result;   // what is counted in it must be in it
                }

                taken += result;
            }
        }

        ReleasePipe();
        Watch(IoReadiness.Writable);
        return 0;
    }

    private void OnAllSent()
    {
        Watch(IoReadiness.None);
        if (_finish)
        {
            socket.ShutdownWrite();
        }
    }

    private void ReleasePipe()
    {
        _pipe?.Return();
        _pipe = null;
    }

    private void ReleaseBuffer()
    {
        if (_unsent is { } unsent)
        {
            _unsent = null;
            _start = _end = 0;
            buffers.Return(unsent);
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_unsent is null)
        {
            _unsent = buffers.Rent(bytes.Length);
            _start = _end = 0;
            Watch(IoReadiness.Writable);
        }
        else if (_end + bytes.Length > _unsent.Length)
        {
            var kept = _end - _start;
            var larger = buffers.Rent(kept + bytes.Length);
            _unsent.AsSpan(_start, kept).CopyTo(larger);
            buffers.Return(_unsent);
            (_unsent, _start, _end) = (larger, 0, kept);
        }

        bytes.CopyTo(_unsent.AsSpan(_end));
        _end += bytes.Length;
    }

    private void Watch(IoReadiness writable) =>
        socket.Loop?.SetInterest(socket, (socket.Interest & ~IoReadiness.Writable) | writable);

    /// <summary>No room now, or not connected yet: keep it and wait for writability.</summary>
    private static bool IsBusy(int result) =>
        (Errno)(-result) is Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM;
}

using Router.Net;

namespace Router.Sessions;

/// <summary>
/// The writing side of a stream: straight to the kernel while it takes everything, the rest in a rented buffer until it
/// does.
/// </summary>
/// <remarks>Loop thread only. Whoever feeds it stops reading while <see cref="HasUnsent"/>: that is the back-pressure,
/// and its bound
/// is what was read at once.</remarks>
internal sealed class StreamOutput(StreamSocket socket, BufferPool buffers)
{
    private byte[]? _unsent;
    private int _start;
    private int _end;
    private bool _finish;

    public StreamSocket Socket => socket;

    public bool HasUnsent => _unsent is not null;

    public int UnsentBytes => _end - _start;

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
            Release();
            Watch(IoReadiness.None);
            if (_finish)
            {
                socket.ShutdownWrite();
            }
        }

        return 0;
    }

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

    /// <summary>Gives the buffer back; the unsent bytes are gone.</summary>
    public void Release()
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

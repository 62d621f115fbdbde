using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// The writing side of a connection that keeps messages apart: each leaves whole, at once or, while the peer takes
/// none, from a queue of whole messages.
/// </summary>
/// <remarks>Loop thread only. Whoever feeds it looks at <see cref="HasRoom"/>, and stops reading while
/// <see cref="HasUnsent"/>: that bounds it.</remarks>
internal sealed class PacketOutput(PacketSocket socket, BufferPool buffers)
{
    /// <summary>What a queued message counts besides its bytes, so that empty ones are bounded too.</summary>
    public const int MessageBytes = 64;

    private readonly Queue<(byte[] Bytes, int Length)> _unsent = new();
    private bool _finish;

    public PacketSocket Socket => socket;

    public bool HasUnsent => _unsent.Count > 0;

    /// <summary>Of queued messages, with <see cref="MessageBytes"/> for each.</summary>
    public int UnsentBytes { get; private set; }

    /// <summary>The end was told, or waits behind the unsent messages.</summary>
    public bool IsFinished => _finish;

    /// <summary>Whether a message may be added: the limit is not exceeded, or nothing waits.</summary>
    public bool HasRoom(int length, int limit) =>
        !_finish && (!HasUnsent || UnsentBytes + MessageBytes + length <= limit);

    /// <summary>Sends or queues one message.</summary>
    /// <returns>0, or a negative errno: -EMSGSIZE for a message that is too long, any other ends the
    /// connection.</returns>
    public unsafe int Write(byte* bytes, int length)
    {
        Check.That(!_finish);
        if (!HasUnsent)
        {
            var result = socket.Send(bytes, length);
            if (result >= 0 || !IsBusy(result))
            {
                return Math.Min(result, 0);
            }
        }

        var kept = buffers.Rent(Math.Max(1, length));
        new ReadOnlySpan<byte>(bytes, length).CopyTo(kept);
        _unsent.Enqueue((kept, length));
        UnsentBytes += length + MessageBytes;
        return 0;
    }

    /// <summary>The socket is writable: sends what was queued.</summary>
    /// <returns>0, or a negative errno that ends the connection.</returns>
    public unsafe int Flush()
    {
        while (_unsent.TryPeek(out var message))
        {
            int result;
            fixed (byte* bytes = message.Bytes)
            {
                result = socket.Send(bytes, message.Length);
            }

            if (result < 0)
            {
                return IsBusy(result) ? 0 : result;
            }

            Drop();
        }

        if (_finish)
        {
            socket.ShutdownWrite();
        }

        return 0;
    }

    /// <summary>Tells the end, after what is unsent.</summary>
    public void Finish()
    {
        if (!_finish)
        {
            _finish = true;
            if (!HasUnsent)
            {
                socket.ShutdownWrite();
            }
        }
    }

    /// <summary>Gives the buffers back; what is unsent is gone.</summary>
    public void Release()
    {
        while (HasUnsent)
        {
            Drop();
        }
    }

    private void Drop()
    {
        var (bytes, length) = _unsent.Dequeue();
        UnsentBytes -= length + MessageBytes;
        buffers.Return(bytes);
    }

    private static bool IsBusy(int result) =>
        (Errno)(-result) is Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM;
}

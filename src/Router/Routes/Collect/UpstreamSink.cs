using Router.Loop;
using Router.Net;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>Sends windows to an upstream as JSON lines: over one TCP connection, or each line as a datagram.</summary>
/// <remarks>
/// A window that a connection broke in comes again as a whole on the next one: a reader may meet a line twice, never
/// half a line followed by others. What the kernel has taken counts as delivered. A line that is longer than a datagram
/// can be would be so for ever: it is given up, and the others are sent.
/// </remarks>
internal sealed class UpstreamSink(UpstreamGroup group, bool isStream, IoLoop loop, TimeProvider time) : IWindowSink
{
    /// <summary>Without progress: a large window may take as long as it goes on.</summary>
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(5);

    private readonly WindowJson _json = new();
    private readonly UpstreamLink _link = isStream ? new StreamLink(group, loop) : new DatagramLink(group, loop);

    public string Name => $"{(isStream ? "tcp" : "udp")}://{group.Settings.Targets[0]}";

    public async ValueTask OpenAsync(CancellationToken stop) =>
        await group.Ready.WaitAsync(StallTimeout, time, stop).ConfigureAwait(false);

    public async ValueTask WriteAsync(CollectedWindow window, CancellationToken stop)
    {
        int tooLong;
        try
        {
            tooLong = await SendAsync(_json.Render(window), stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await _link.CloseAsync().ConfigureAwait(false);   // it must not read the lines any more
            throw;
        }

        if (tooLong > 0)
        {
            throw new WindowRefusedException(
                new IOException($"{tooLong} lines are longer than a datagram can be; use tcp:// or a file"), tooLong);
        }
    }

    public async ValueTask DisposeAsync() => await _link.CloseAsync().ConfigureAwait(false);

    private async Task<int> SendAsync(ReadOnlyMemory<byte> lines, CancellationToken stop)
    {
        var sending = _link.SendAsync(lines);
        while (true)
        {
            var before = _link.SentBytes;
            try
            {
                return await sending.WaitAsync(StallTimeout, time, stop).ConfigureAwait(false);
            }
            catch (TimeoutException) when (_link.SentBytes != before)
            {
                // the reader is slow, and reads
            }
        }
    }
}

/// <summary>A socket to an upstream that lives on a loop and is sent on from the collect writer: one sending at a
/// time.</summary>
internal abstract class UpstreamLink(UpstreamGroup group, IoLoop loop) : IIoReceiver
{
    private TaskCompletionSource<int>? _sending;
    private Upstream? _upstream;   // of the present socket
    private long _sentBytes;

    /// <summary>What the kernel has taken so far. Any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    protected IoLoop Loop => loop;

    /// <summary>What is not sent yet; the loop's alone while a sending goes on.</summary>
    protected ReadOnlyMemory<byte> Unsent { get; private set; }

    /// <summary>Ends when the kernel has taken all lines but those that are too long, whose number it gives; fails with
    /// an <see cref="IOException"/>.</summary>
    public Task<int> SendAsync(ReadOnlyMemory<byte> lines)
    {
        var sending = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Enqueue(new ActionRunnable(() => Begin(lines, sending)));
        return sending.Task;
    }

    /// <summary>Ends the sending and closes the socket, on the loop; at once when the loop has ended.</summary>
    public Task CloseAsync()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Enqueue(new ActionRunnable(() =>
        {
            End(new IOException($"send to {group.Settings.Targets[0]}: {Errno.ETIMEDOUT}"));
            closed.SetResult();
        }));
        return closed.Task;
    }

    public abstract void OnReady(IoSocket socket, IoReadiness ready);

    protected abstract bool IsOpen { get; }

    /// <summary>Starts to connect; 0 or a negative errno.</summary>
    protected abstract int Connect(in SocketAddr address);

    /// <summary>Sends what it can; calls <see cref="Done"/> or <see cref="Fail"/> at the end.</summary>
    protected abstract void Send();

    protected abstract void Close();

    /// <summary>So many bytes have been taken, or given up.</summary>
    protected void Advance(int bytes)
    {
        Unsent = Unsent[bytes..];
        Volatile.Write(ref _sentBytes, _sentBytes + bytes);
    }

    /// <param name="tooLong">Lines that cannot be sent.</param>
    protected void Done(int tooLong = 0)
    {
        var sending = _sending;
        _sending = null;
        sending?.TrySetResult(tooLong);
    }

    /// <summary>Closes the socket, whose upstream others avoid for a while if the failed connect is its
    /// fault.</summary>
    protected void FailConnect(int result)
    {
        var errno = (Errno)(-result);
        Fail(UpstreamErrors.OfConnect(errno, isUnix: false), errno, SocketOperation.Connect);
    }

    /// <summary>The same for a sending that has failed.</summary>
    protected void FailSend(int result)
    {
        var errno = (Errno)(-result);
        Fail(UpstreamErrors.OfSend(errno), errno, SocketOperation.Send);
    }

    protected static bool IsBusy(int result) =>
        UpstreamErrors.OfSend((Errno)(-result)) == UpstreamErrorClass.Retry;

    private void Begin(ReadOnlyMemory<byte> lines, TaskCompletionSource<int> sending)
    {
        _sending = sending;
        Unsent = lines;
        if (IsOpen)
        {
            Send();
            return;
        }

        if (group.Pick(PickPolicy.RoundRobin, default, []) is not { } upstream)
        {
            End(new IOException($"no address for {group.Settings.Targets[0]}"));
            return;
        }

        upstream.Return();   // a sink is no session: nothing is to be balanced
        _upstream = upstream;
        var result = Connect(upstream.Address);
        if (result < 0)
        {
            FailConnect(result);
        }
    }

    private void Fail(UpstreamErrorClass kind, Errno errno, SocketOperation operation)
    {
        if (kind == UpstreamErrorClass.Upstream && _upstream is { } upstream)
        {
            group.MarkFailed(upstream);
        }

        var step = operation == SocketOperation.Connect ? "connect to" : "send to";
        var to = _upstream is { } tried ? tried.Address : default;
        End(new IOException(
            $"{step} {group.Settings.Targets[0]}: {ErrnoText.Describe(errno, ErrnoText.At(to, operation))}"));
    }

    private void End(IOException reason)
    {
        Close();
        var sending = _sending;
        _sending = null;
        _upstream = null;
        Unsent = default;
        sending?.TrySetException(reason);
    }
}

/// <summary>Lines over one TCP connection, made when there is something to send.</summary>
internal sealed class StreamLink(UpstreamGroup group, IoLoop loop) : UpstreamLink(group, loop)
{
    private StreamSocket? _socket;
    private bool _isConnecting;

    protected override bool IsOpen => _socket is not null;

    public override unsafe void OnReady(IoSocket socket, IoReadiness ready)
    {
        if (!ReferenceEquals(socket, _socket))
        {
            return;
        }

        if (_isConnecting)
        {
            var result = _socket.ConnectResult();
            if (result < 0 || _socket.LocalAddress == _socket.PeerAddress)
            {
                FailConnect(result < 0 ? result : -(int)Errno.ECONNREFUSED);
                return;
            }

            _isConnecting = false;
        }

        if ((ready & (IoReadiness.Readable | IoReadiness.Failed)) != 0)
        {
            var received = _socket.Receive(Loop.ReadBuffer, Loop.ReadBufferBytes);   // nobody wants what it says
            if (received == 0 || (received < 0 && !IsBusy(received)))
            {
                FailSend(received == 0 ? -(int)Errno.EPIPE : received);
                return;
            }
        }

        Send();
    }

    protected override int Connect(in SocketAddr address)
    {
        var result = Loop.Network.ConnectStream(address, out var socket);
        if (socket is null || (result < 0 && result != -(int)Errno.EINPROGRESS))
        {
            return result;
        }

        _socket = socket;
        _isConnecting = true;
        socket.SetKeepAlive(KeepAliveOptions.Default);   // else a window may go to a host that is gone
        return Loop.Register(socket, this, IoReadiness.Writable);
    }

    protected override unsafe void Send()
    {
        while (!Unsent.IsEmpty)
        {
            int sent;
            fixed (byte* bytes = Unsent.Span)
            {
                sent = _socket!.Send(bytes, Unsent.Length);
            }

            if (sent < 0)
            {
                if (IsBusy(sent))
                {
                    Loop.SetInterest(_socket, IoReadiness.Readable | IoReadiness.Writable);
                    return;
                }

                FailSend(sent);
                return;
            }

            Advance(sent);
        }

        Loop.SetInterest(_socket!, IoReadiness.Readable);
        Done();
    }

    protected override void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _isConnecting = false;
    }
}

/// <summary>Each line as a datagram, its line feed included.</summary>
internal sealed class DatagramLink(UpstreamGroup group, IoLoop loop) : UpstreamLink(group, loop)
{
    private ConnectedDatagramSocket? _socket;
    private int _tooLong;   // lines of what is being sent

    protected override bool IsOpen => _socket is not null;

    public override unsafe void OnReady(IoSocket socket, IoReadiness ready)
    {
        if (!ReferenceEquals(socket, _socket))
        {
            return;
        }

        if ((ready & (IoReadiness.Readable | IoReadiness.Failed)) != 0)
        {
            _socket.Receive(Loop.ReadBuffer, Loop.ReadBufferBytes);   // an answer, or an ICMP error: taken off
        }

        if ((ready & IoReadiness.Writable) != 0)
        {
            Send();
        }
    }

    protected override int Connect(in SocketAddr address)
    {
        var result = Loop.Network.ConnectDatagram(address, out _socket);
        if (_socket is null)
        {
            return result;
        }

        result = Loop.Register(_socket, this, IoReadiness.Readable);
        if (result >= 0)
        {
            Send();
        }

        return result;
    }

    protected override unsafe void Send()
    {
        while (!Unsent.IsEmpty)
        {
            var length = Unsent.Span.IndexOf((byte)'\n') + 1;
            int sent;
            fixed (byte* bytes = Unsent.Span)
            {
                sent = _socket!.Send(bytes, length);
            }

            if (sent < 0 && IsBusy(sent))
            {
                Loop.SetInterest(_socket, IoReadiness.Readable | IoReadiness.Writable);
                return;
            }

            if (sent == -(int)Errno.EMSGSIZE)
            {
                _tooLong++;
            }
            else if (sent < 0)
            {
                FailSend(sent);
                return;
            }

            Advance(length);
        }

        var tooLong = _tooLong;
        _tooLong = 0;
        Loop.SetInterest(_socket!, IoReadiness.Readable);
        Done(tooLong);
    }

    protected override void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _tooLong = 0;   // the window comes again
    }
}

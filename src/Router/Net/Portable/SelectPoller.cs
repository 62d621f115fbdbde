using System.Net.Sockets;

namespace Router.Net;

/// <summary>Readiness by
/// <see cref="Socket.Select(System.Collections.IList, System.Collections.IList, System.Collections.IList, int)"/>, on
/// Windows, which has no poll(2): the cost of a wait grows with the number of sockets.</summary>
/// <remarks>Elsewhere the base library makes an entry of poll(2) for each list that a socket is in, and there may be no
/// more entries than descriptors: half of them are the end of it.</remarks>
internal sealed class SelectPoller : IPoller
{
    private readonly Dictionary<Socket, IoSocket> _sockets = [];
    private readonly List<Socket> _read = [];
    private readonly List<Socket> _write = [];
    private readonly List<Socket> _error = [];
    private readonly PortableWake _wake = new();

    public int Add(IoSocket socket, IoReadiness interest)
    {
        _sockets.Add(((IPortableSocket)socket).Inner, socket);
        return 0;
    }

    public void Modify(IoSocket socket, IoReadiness interest)
    {
        // Interest is read from the socket at every wait.
    }

    public void Remove(IoSocket socket) => _sockets.Remove(((IPortableSocket)socket).Inner);

    public int Wait(int timeoutMs)
    {
        _read.Clear();
        _write.Clear();
        _error.Clear();
        _read.Add(_wake.Socket);
        foreach (var (inner, socket) in _sockets)
        {
            if ((socket.Interest & IoReadiness.Readable) != 0)
            {
                _read.Add(inner);
            }

            if ((socket.Interest & IoReadiness.Writable) != 0)
            {
                _write.Add(inner);
            }

            _error.Add(inner);
        }

        Socket.Select(_read, _write, _error, timeoutMs < 0 ? -1 : (int)Math.Min(timeoutMs * 1000L, int.MaxValue));
        return Tell();
    }

    public void Wake() => _wake.Send();

    public void Dispose() => _wake.Dispose();

    /// <summary>Tells each ready socket once; one removed meanwhile is no longer found.</summary>
    private int Tell()
    {
        var told = 0;
        var failed = new HashSet<Socket>(_error);
        var writable = new HashSet<Socket>(_write);
        foreach (var inner in _read)
        {
            if (inner == _wake.Socket)
            {
                _wake.Take();
                continue;
            }

            told += Tell(inner, IoReadiness.Readable | Also(writable, inner, IoReadiness.Writable)
                | Also(failed, inner, IoReadiness.Failed));
        }

        foreach (var inner in writable)
        {
            told += Tell(inner, IoReadiness.Writable
                | Also(failed, inner, IoReadiness.Failed | IoReadiness.Readable));
        }

        foreach (var inner in failed)
        {
            told += Tell(inner, IoReadiness.Failed | IoReadiness.Readable);
        }

        return told;
    }

    private int Tell(Socket inner, IoReadiness ready)
    {
        if (!_sockets.TryGetValue(inner, out var socket))
        {
            return 0;
        }

        socket.Tell(ready);
        return 1;
    }

    private static IoReadiness Also(HashSet<Socket> found, Socket inner, IoReadiness ready) =>
        found.Remove(inner) ? ready : IoReadiness.None;
}

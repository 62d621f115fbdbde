namespace Router.Net;

/// <summary>The listening unix sockets of this process, each of which several loops accept from. Any thread.</summary>
internal sealed class UnixListenSockets
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SocketAddr, UnixListenSocket> _open = [];

    public UnixListenSocket Add(UnixListenSocket socket)
    {
        lock (_lock)
        {
            _open[socket.Address] = socket;
            return socket;
        }
    }

    /// <summary>One that listens at the address, with one user more; null if there is none.</summary>
    public UnixListenSocket? Join(in SocketAddr address)
    {
        lock (_lock)
        {
            if (_open.TryGetValue(address, out var socket))
            {
                socket.Users++;
            }

            return socket;
        }
    }

    /// <returns>Whether that was the last user.</returns>
    public bool Leave(UnixListenSocket socket)
    {
        lock (_lock)
        {
            return --socket.Users == 0 && _open.Remove(socket.Address);
        }
    }
}

/// <summary>A listening unix socket and its file. Both are closed with the last of its users.</summary>
internal sealed class UnixListenSocket(
    LinuxCalls calls, UnixListenSockets all, in SocketAddr address, int fd, UnixSocketFile? file, int backlog)
{
    public SocketAddr Address { get; } = address;

    public int Descriptor => fd;

    public int AskedBacklog => backlog;

    /// <summary>Loops that accept from it; changed under the lock of <see cref="UnixListenSockets"/>.</summary>
    public int Users { get; set; } = 1;

    public void Leave()
    {
        if (all.Leave(this))
        {
            file?.Remove();
            calls.Close(fd);
        }
    }
}

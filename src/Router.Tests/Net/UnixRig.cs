using System.Net.Sockets;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>A folder for socket files, clients of the base library, and a network under test.</summary>
internal sealed class UnixRig : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("router-unix-");
    private readonly List<IDisposable> _owned = [];

    public LinuxNetwork Network { get; } = new();

    public string Folder => _folder.FullName;

    public string Path(string name) => System.IO.Path.Combine(Folder, name);

    public SocketAddr At(string name, UnixSocketType type) =>
        UnixAddress.Of(name.StartsWith('@') ? name : Path(name), type);

    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    public StreamListener Listen(string name, UnixSocketType type, UnixFileOptions? file = null)
    {
        Assert.Equal(0, TryListen(name, type, out var socket, file));
        return socket!;
    }

    public int TryListen(
        string name, UnixSocketType type, out StreamListener? socket, UnixFileOptions? file = null, bool joins = false)
    {
        var options = new StreamListenOptions(16, DualStack: false, JoinGroup: joins, File: file);
        var result = Network.Listen(At(name, type), options, out socket);
        if (socket is not null)
        {
            Own(socket);
        }

        return result;
    }

    public DatagramSocket Bind(string name, UnixFileOptions? file = null)
    {
        var options = new DatagramOptions(0, 0, DualStack: false, File: file);
        Assert.Equal(0, Network.BindDatagram(At(name, UnixSocketType.Datagram), options, out var socket));
        return Own(socket!);
    }

    /// <summary>A client that is connected.</summary>
    /// <param name="own">Its own name; null for none, empty for one that the kernel gives it.</param>
    public Socket Client(SocketType type, string name, string? own = null)
    {
        var socket = Own(new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified) { ReceiveTimeout = 5_000 });
        if (own is "")
        {
            // Autobind: a socket with SO_PASSCRED is given a name when it sends, see unix(7).
            socket.SetRawSocketOption(1, 16, BitConverter.GetBytes(1));
        }
        else if (own is not null)
        {
            socket.Bind(new UnixDomainSocketEndPoint(own.StartsWith('@') ? "\0" + own[1..] : Path(own)));
        }

        socket.Connect(new UnixDomainSocketEndPoint(name.StartsWith('@') ? "\0" + name[1..] : Path(name)));
        return socket;
    }

    public void Dispose()
    {
        _owned.ForEach(static each => each.Dispose());
        _folder.Delete(recursive: true);
    }
}

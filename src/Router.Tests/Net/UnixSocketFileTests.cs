using System.Net.Sockets;
using System.Runtime.Versioning;
using Router.Listeners;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Net;

/// <summary>The file of a unix socket: what is replaced, what is not, who may use it, and when it goes.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class UnixSocketFileTests
{
    private const int Denied = 0x180;   // 0600

    [Theory]
    [InlineData(UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Packet)]
    [InlineData(UnixSocketType.Datagram)]
    public void A_stale_file_is_replaced(object theType)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();
        Leave(rig.Path("s"), type);

        Assert.Equal(0, TryBind(rig, "s", type));

        Assert.Equal(["s"], Names(rig));
    }

    [Theory]
    [InlineData(UnixSocketType.Stream, UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Packet, UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Stream, UnixSocketType.Packet)]
    [InlineData(UnixSocketType.Datagram, UnixSocketType.Datagram)]
    [InlineData(UnixSocketType.Datagram, UnixSocketType.Stream)]
    public void A_socket_that_lives_is_not_replaced(object theFirst, object theSecond)
    {
        var first = (UnixSocketType)theFirst;
        var second = (UnixSocketType)theSecond;
        using var rig = new UnixRig();
        Assert.Equal(0, TryBind(rig, "s", first));

        Assert.Equal(-(int)Errno.EADDRINUSE, TryBind(rig, "s", second));

        Assert.Equal(["s"], Names(rig));
        Connect(rig, "s", first);
    }

    [Fact]
    public void An_abstract_name_that_is_taken_is_refused()
    {
        using var rig = new UnixRig();
        var name = "@" + rig.Folder;
        Assert.Equal(0, TryBind(rig, name, UnixSocketType.Stream));

        Assert.Equal(-(int)Errno.EADDRINUSE, TryBind(rig, name, UnixSocketType.Stream));

        Assert.Empty(Names(rig));
    }

    [Theory]
    [InlineData(UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Datagram)]
    public void What_is_no_socket_is_never_replaced(object theType)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();
        File.WriteAllText(rig.Path("s"), "precious");

        Assert.Equal(-(int)Errno.ENOTSOCK, TryBind(rig, "s", type));

        Assert.Equal("precious", File.ReadAllText(rig.Path("s")));
    }

    [Fact]
    public void A_link_to_a_stale_socket_is_not_followed()
    {
        using var rig = new UnixRig();
        Leave(rig.Path("old"), UnixSocketType.Stream);
        File.CreateSymbolicLink(rig.Path("s"), rig.Path("old"));

        Assert.Equal(-(int)Errno.ENOTSOCK, TryBind(rig, "s", UnixSocketType.Stream));

        Assert.Equal(["old", "s"], Names(rig));
    }

    [Theory]
    [InlineData("none/s", Errno.ENOENT)]
    [InlineData("file/s", Errno.ENOTDIR)]
    [InlineData("loop/s", Errno.ELOOP)]
    public void A_path_that_leads_nowhere_says_why(string path, Errno errno)
    {
        using var rig = new UnixRig();
        File.WriteAllText(rig.Path("file"), "");
        File.CreateSymbolicLink(rig.Path("loop"), "loop");

        Assert.Equal(-(int)errno, TryBind(rig, path, UnixSocketType.Stream));

        Assert.NotEmpty(ErrnoText.Advice(errno, SocketOperation.BindUnix));
    }

    [Theory]
    [InlineData(Errno.EROFS)]
    [InlineData(Errno.ENOSPC)]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EAFNOSUPPORT)]
    public void A_bind_that_fails_says_what_to_do(Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Network.Faults.Inject(NetworkOperation.Listen, errno);
        var request = new BindRequest(
            "l", SessionTransport.Unix, UnixAddress.Of("/run/s", UnixSocketType.Stream), 0, 0, 1, DualStack: false);

        ListenerBinder.BindAll(kit.Network, 1, [request], out var faults);

        Assert.Equal("unix:///run/s", Assert.Single(faults).Request.ToString());
        Assert.NotEmpty(ErrnoText.Advice(faults[0].Errno, SocketOperation.BindUnix));
    }

    [Fact]
    public void While_another_binds_the_same_path_it_counts_as_taken()
    {
        using var rig = new UnixRig();
        using var held = new FileStream(rig.Path("s.lock"), FileMode.Create, FileAccess.Write, FileShare.None);

        Assert.Equal(-(int)Errno.EADDRINUSE, TryBind(rig, "s", UnixSocketType.Stream));
    }

    [Fact]
    public void A_lock_that_was_left_behind_is_no_hindrance()
    {
        using var rig = new UnixRig();
        File.WriteAllText(rig.Path("s.lock"), "");

        Assert.Equal(0, TryBind(rig, "s", UnixSocketType.Stream));

        Assert.Equal(["s"], Names(rig));
    }

    [Theory]
    [InlineData(UnixSocketType.Stream, 0x1B6)]     // 0666: beyond any umask
    [InlineData(UnixSocketType.Packet, Denied)]
    [InlineData(UnixSocketType.Datagram, 0x1B0)]
    public void The_file_has_the_mode_that_was_asked_for(object theType, int mode)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();

        Assert.Equal(0, TryBind(rig, "s", type, new UnixFileOptions(mode)));

        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(rig.Path("s")));
    }

    /// <summary>The one moment that cannot be seen from outside: between bind(2) and the mode.</summary>
    [Theory]
    [InlineData(UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Datagram)]
    public void Nobody_may_use_the_file_before_it_has_its_mode(object theType)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();
        var mode = UnixFileMode.OtherWrite;
        var network = new LinuxNetwork(new LookAfterBind(() => mode = File.GetUnixFileMode(rig.Path("s"))));

        using var bound = BindOn(network, rig.At("s", type));

        Assert.Equal(UnixFileMode.None, mode);
        Assert.Equal((UnixFileMode)UnixFileOptions.Default.Mode, File.GetUnixFileMode(rig.Path("s")));
    }

    [Fact]
    public void The_file_goes_with_the_last_of_the_loops_and_not_if_another_is_there()
    {
        using var rig = new UnixRig();
        var first = rig.Listen("s", UnixSocketType.Stream);
        Assert.Equal(0, rig.TryListen("s", UnixSocketType.Stream, out var second, joins: true));
        var replaced = rig.Listen("r", UnixSocketType.Stream);

        first.Dispose();
        Assert.Equal(["r", "s"], Names(rig));
        second!.Dispose();
        Assert.Equal(["r"], Names(rig));
        File.Delete(rig.Path("r"));
        File.WriteAllText(rig.Path("r"), "another's");
        replaced.Dispose();
        Assert.Equal("another's", File.ReadAllText(rig.Path("r")));
    }

    private static int TryBind(UnixRig rig, string name, UnixSocketType type, UnixFileOptions? file = null)
    {
        if (type != UnixSocketType.Datagram)
        {
            return rig.TryListen(name, type, out _, file);
        }

        var options = new DatagramOptions(0, 0, DualStack: false, File: file);
        var result = rig.Network.BindDatagram(rig.At(name, type), options, out var socket);
        if (socket is not null)
        {
            rig.Own(socket);
        }

        return result;
    }

    private static IoSocket BindOn(LinuxNetwork network, SocketAddr address)
    {
        if (address.UnixType == UnixSocketType.Datagram)
        {
            Assert.Equal(0, network.BindDatagram(address, new DatagramOptions(0, 0, false), out var socket));
            return socket!;
        }

        Assert.Equal(0, network.Listen(address, new StreamListenOptions(1, false), out var listener));
        return listener!;
    }

    private static void Connect(UnixRig rig, string name, UnixSocketType type) =>
        rig.Client(type == UnixSocketType.Datagram ? SocketType.Dgram
            : type == UnixSocketType.Packet ? SocketType.Seqpacket
            : SocketType.Stream, name);

    /// <summary>A socket's file as a program leaves it that was killed.</summary>
    private static void Leave(string path, UnixSocketType type)
    {
        var kind = type == UnixSocketType.Datagram ? SocketType.Dgram
            : type == UnixSocketType.Packet ? SocketType.Seqpacket
            : SocketType.Stream;
        using (var socket = new Socket(AddressFamily.Unix, kind, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path + ".made"));
            File.Move(path + ".made", path);   // the base library removes what it bound
        }

        Assert.True(File.Exists(path));
    }

    private static IEnumerable<string?> Names(UnixRig rig) =>
        Directory.GetFileSystemEntries(rig.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private sealed unsafe class LookAfterBind(Action look) : LinuxCalls
    {
        public override int Bind(int fd, byte* address, int length)
        {
            var result = base.Bind(fd, address, length);
            look();
            return result;
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Configuration;
using Router.Reporting.Sinks;

namespace Router.Tests.Reporting.Sinks;

public sealed class SocketOutputTests
{
    private readonly byte[] _buffer = new byte[100_000];

    [Fact]
    public void Over_UDP_each_line_is_a_datagram_and_one_that_is_too_long_is_refused()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.ReceiveTimeout = 5_000;
        using var output = new SocketOutput(At(SinkAddressKind.Udp, server));

        Assert.True(output.KeepsMessages);
        Assert.Equal(3, output.Write("one"u8));
        Assert.Throws<LineRefusedException>(() => output.Write(new byte[66_000]));
        Assert.Equal(3, output.Write("two"u8));

        Assert.Equal(["one", "two"], [Receive(server), Receive(server)]);
    }

    [Fact]
    public void A_unix_socket_whose_reader_sleeps_takes_nothing_just_now_and_one_that_is_gone_is_told()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var output = new SocketOutput(new SinkAddress(SinkAddressKind.Unix, path, 0));
        var gone = Assert.Throws<IOException>(() => output.Write("x"u8));
        Assert.Contains($"unixgram://{path}", gone.Message, StringComparison.Ordinal);
        using (var server = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified))
        {
            server.Bind(new UnixDomainSocketEndPoint(path));
            var sent = 0;
            while (output.Write("x"u8) == 1)
            {
                Assert.InRange(++sent, 0, 100_000);
            }

            Assert.Equal("x", Receive(server));
            Assert.Equal(1, output.Write("y"u8));
        }

        Assert.Throws<IOException>(() => output.Write("x"u8));
        File.Delete(path);
    }

    [Fact]
    public void Over_TCP_a_peer_that_does_not_read_takes_nothing_just_now_and_its_end_is_noticed()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen(1);
        using var output = new SocketOutput(At(SinkAddressKind.Tcp, server));

        long sent = 0;
        for (int taken; (taken = output.Write(_buffer)) > 0;)
        {
            sent += taken;
            Assert.InRange(sent, 0, 1L << 30);
        }

        using (var connection = server.Accept())
        {
            long read = 0;
            while (read < sent)
            {
                read += connection.Receive(_buffer);
            }
        }

        Assert.Throws<IOException>(void () =>
        {
            while (true)
            {
                output.Write("x"u8);   // until the end has come
            }
        });
        Assert.True(output.Recover());
        Assert.Equal(1, output.Write("x"u8));   // connected anew
    }

    private static SinkAddress At(SinkAddressKind kind, Socket server) =>
        new(kind, "127.0.0.1", ((IPEndPoint)server.LocalEndPoint!).Port);

    private string Receive(Socket server) => Encoding.ASCII.GetString(_buffer, 0, server.Receive(_buffer));
}

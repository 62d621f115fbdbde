using System.Net;
using Router.Net;
using Router.Sessions;

namespace Router.Tests.Routes;

/// <summary>When the kernel gives up a proxy's connection to an upstream.</summary>
public sealed class TcpProxyKeepAliveTests
{
    [Fact]
    public void A_connection_to_an_upstream_is_given_up_as_the_route_says()
    {
        var calls = new RecordingCalls();
        using var server = LoopbackRig.NewTcpServer();
        using var rig = new LoopbackRig(
            SessionTransport.Tcp, calls,
            static settings => settings with { KeepAlive = new KeepAliveOptions(61, 16, 5, 90_000) },
            (IPEndPoint)server.LocalEndPoint!);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);

        Assert.Equal([(9, 1), (4, 61), (5, 16), (6, 5), (18, 90_000)], calls.KeepAlive);
    }

    private sealed unsafe class RecordingCalls : LinuxCalls
    {
        public List<(int Name, int Value)> KeepAlive { get; } = [];

        public override int SetOption(int fd, int level, int name, void* value, uint length)
        {
            if (level == Libc.SolTcp ? name != Libc.TcpNoDelay : name == Libc.SoKeepAlive)
            {
                KeepAlive.Add((name, *(int*)value));
            }

            return base.SetOption(fd, level, name, value, length);
        }
    }
}

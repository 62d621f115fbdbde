using System.Net;
using System.Net.Sockets;
using Router.Listeners;
using Router.Net;
using Router.Sessions;

namespace Router.Tests.Listeners;

/// <summary>What binding a group of sockets leaves to its shards, asked of the kernel.</summary>
public sealed class ListenerBinderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_sends_while_the_group_is_bound_is_heard_by_one_shard_only(bool joinedBySessions)
    {
        const int Clients = 100;
        var clients = Enumerable.Range(0, Clients).Select(static _ => NewClient()).ToList();
        var calls = new CallsWithTraffic(clients);
        var request = new BindRequest(
            "l", SessionTransport.Udp, SocketAddr.From(IPAddress.Loopback, 0), 0, 0, Backlog: 0, DualStack: false,
            joinedBySessions);

        var bound = ListenerBinder.BindAll(new LinuxNetwork(calls), 2, [request], out var faults);

        Assert.Empty(faults);
        Assert.Equal(Clients, calls.Sent);
        calls.SendAll(bound[0].Address);
        var heard = bound[0].Sockets.Cast<DatagramSocket>().SelectMany(Peers).ToList();
        Assert.Equal(Clients, heard.Count);
        Assert.Equal(Clients, heard.Distinct().Count());
        bound[0].Sockets.ToList().ForEach(static socket => socket.Dispose());
        clients.ForEach(static client => client.Dispose());
    }

    private static Socket NewClient()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return client;
    }

    private static List<SocketAddr> Peers(DatagramSocket socket)
    {
        using var batch = new DatagramBatch(64);
        var peers = new List<SocketAddr>();
        while (socket.Receive(batch) > 0)
        {
            peers.AddRange(Enumerable.Range(0, batch.Count).Select(slot => batch.Peer(slot)));
        }

        return peers;
    }

    /// <summary>Everybody sends as soon as the first socket is bound.</summary>
    private sealed unsafe class CallsWithTraffic(List<Socket> clients) : LinuxCalls
    {
        public int Sent { get; private set; }

        public void SendAll(SocketAddr address) =>
            clients.ForEach(client => client.SendTo("x"u8, address.ToIPEndPoint()));

        public override int Bind(int fd, SocketAddr* address)
        {
            var result = base.Bind(fd, address);
            if (result == 0 && Sent == 0)
            {
                SendAll(LocalAddress(fd));
                Sent = clients.Count;
            }

            return result;
        }
    }
}

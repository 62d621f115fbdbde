using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Sessions with sockets of their own, by the kernel's own demultiplexing.</summary>
public sealed class SessionSocketTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 47001;

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_thousand_clients_that_start_at_once_lose_nothing_and_each_hears_only_itself()
    {
        const int Clients = 1000;
        const int Payloads = 3;
        var router = await RouterAsync(Repository.Read("hocon/examples/connected.conf"));
        var descriptors = router.Proc.DescriptorsHeld;
        var clients = await ManyAsync(Clients, static i => Client.Udp(Port, Source(i)));

        await Network.RunAsync(() =>
        {
            // One after another and not round by round: sockets are made while later clients send their first.
            foreach (var client in clients)
            {
                for (var payload = 0; payload < Payloads; payload++)
                {
                    client.Send(Nonce(client, payload));
                }
            }
        });
        var heard = await Network.RunAsync(() => clients.ConvertAll(static client =>
        {
            var payloads = new HashSet<string>(StringComparer.Ordinal);
            var buffer = new byte[64];
            for (var i = 0; i < Payloads; i++)
            {
                payloads.Add(Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer)));
            }

            Assert.Equal(0, client.Available);
            return payloads;
        }));

        for (var i = 0; i < Clients; i++)
        {
            var own = Enumerable.Range(0, Payloads).Select(n => Encoding.ASCII.GetString(Nonce(clients[i], n)));
            Assert.Equal(own.Order(StringComparer.Ordinal), heard[i].Order(StringComparer.Ordinal));
        }

        var peers = router.Proc.ConnectedPeers(Port);
        Assert.Equal(Clients, peers.Count);   // a socket each, and none left: see below
        Assert.Equal(Clients, peers.Distinct().Count());
        Assert.Equal(0, router.Proc.Counter("Udp", "RcvbufErrors"));
        Assert.Equal(0, router.Proc.Counter("Udp", "NoPorts"));
        await Until.TrueAsync(
            () => router.RecordsOf("session-closed").Count >= Clients,
            () => $"{router.RecordsOf("session-closed").Count} sessions closed");
        var closed = router.RecordsOf("session-closed");
        Assert.Equal(
            Clients, closed.Select(static record => record.GetProperty("peer").GetString()).Distinct().Count());
        Assert.All(closed, static record => Assert.Equal(Payloads, record.GetProperty("payloads-in").GetInt32()));
        await AssertDescriptorsAsync(router, descriptors);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task On_a_port_of_its_own_a_session_answers_from_there_and_the_peer_may_go_on_there()
    {
        await RouterAsync(Repository.Read("hocon/examples/own-port.conf"));

        var (first, second) = await Network.RunAsync(static () =>
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            {
                ReceiveTimeout = 5000,
            };
            client.Bind(Client.Loopback(0));
            client.SendTo("a"u8, Client.Loopback(Port));
            var from = ReceiveFrom(client);
            client.SendTo("b"u8, from);
            return (from, ReceiveFrom(client));
        });

        Assert.Equal(IPAddress.Loopback, first.Address);
        Assert.NotEqual(Port, first.Port);
        Assert.Equal(first, second);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_descriptors_sessions_use_the_listeners_socket_and_the_record_says_so()
    {
        const int Clients = 100;
        var router = await RouterAsync(
            """
            router {
              loops = 1
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo, session-socket = connected }
              routes.echo { type = echo }
            }
            """);
        await Network.RunAsync(static () => Client.AnswerTime(static () => Client.Udp(Port)));
        LimitDescriptors(router, router.Proc.Descriptors + 40);

        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Clients; i++)
            {
                using var client = Client.Udp(Port, Source(i));
                Assert.Equal("hello"u8.ToArray(), Client.Exchange(client, "hello"u8));
            }
        });

        var refused = await router.RecordAsync("session-socket-refused");
        Assert.StartsWith("EMFILE", refused.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    private static IPEndPoint ReceiveFrom(Socket socket)
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        socket.ReceiveFrom(new byte[16], ref from);
        return (IPEndPoint)from;
    }

    private static IPEndPoint Source(int index) =>
        new(new IPAddress([127, 1, (byte)(index >> 8), (byte)index]), 20_000);

    private static byte[] Nonce(Socket client, int payload) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{client.LocalEndPoint} {payload}"));
}

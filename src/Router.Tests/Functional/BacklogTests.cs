using System.Net.Sockets;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>listen and its backlog, known for once: asked, granted, waiting, overflowed.</summary>
public sealed class BacklogTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 47001;

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_backlog_of_4_lets_5_wait_and_what_does_not_fit_is_counted_and_told()
    {
        const int Clients = 8;
        const int Waiting = 5;
        var router = await RouterAsync(Repository.Read("hocon/examples/backlog.conf"));
        var listening = await router.RecordAsync("listening");
        Assert.Equal(4, listening.GetProperty("backlog-asked").GetInt32());
        Assert.Equal(4, listening.GetProperty("backlog-granted").GetInt32());

        router.Signal(TestLibc.SigStop);   // nobody accepts
        await Until.TrueAsync(() => router.Proc.IsStopped, () => "the router does not stop");
        var clients = await ManyAsync(Clients, static _ => Connecting());
        await Until.TrueAsync(() => Connected() == Waiting, () => $"{Connected()} clients are connected");
        router.Signal(TestLibc.SigCont);

        var overflow = await router.RecordAsync("accept-overflow");
        Assert.Equal(Waiting, overflow.GetProperty("queue").GetInt32());
        Assert.Equal(4, overflow.GetProperty("backlog").GetInt32());
        Assert.InRange(overflow.GetProperty("count").GetInt64(), Clients - Waiting, long.MaxValue);
        await Until.TrueAsync(() => Connected() == Clients, () => $"{Connected()} clients are connected");
        await Until.TrueAsync(
            () => router.RecordsOf("stats").Any(static stats =>
                stats.GetProperty("accept-overflows").GetInt64() >= Clients - Waiting
                && stats.GetProperty("namespace-accept-overflows").GetInt64() >= Clients - Waiting),
            () => "no stats line counts the overflow");
        Assert.Contains(router.RecordsOf("drops"), static drops =>
            drops.GetProperty("reason").GetString() == "accept-queue-full");

        int Connected() => clients.Count(static client => client.Poll(0, SelectMode.SelectWrite));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task A_port_scan_is_no_overflow()
    {
        // SYNs without sockets: the kernel answers each SYN-ACK with a reset, and counts that at the listener.
        const string Scan =
            """
            import socket, struct
            scan = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
            here = socket.inet_aton("127.0.0.1")
            for port in range(20000, 20200):
                words = [port, 47001, port, 0, 0, 0, 5 << 12 | 2, 65535, 0, 0]
                total = sum(words) + 6 + 20 + sum(struct.unpack("!4H", here + here))
                words[8] = ~((total & 0xffff) + (total >> 16)) & 0xffff
                scan.sendto(struct.pack("!10H", *words), ("127.0.0.1", 0))
            """;
        var router = await RouterAsync(Repository.Read("hocon/examples/backlog.conf"));
        await ToolAsync("python3", ["-c", Scan]);
        var states = await ToolAsync("ss", ["-lntmH"]);
        Assert.Matches(@"127\.0\.0\.1:47001[\s\S]*,d[1-9]\d*\)", states);   // the kernel's counter of the socket

        await AssertAnswersAsync(static () => Client.Tcp(Port));   // has the queue looked at
        var answered = router.RecordsOf("stats").Count;
        await router.RecordAsync("stats", answered + 1);

        Assert.Empty(router.RecordsOf("accept-overflow"));
        Assert.Empty(router.RecordsOf("drops"));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_somaxconn_does_not_allow_is_not_granted_and_the_record_says_so()
    {
        await Network.SetAsync("core.somaxconn", "7");

        var router = await RouterAsync(
            """
            router {
              listeners.echo { bind = "tcp://127.0.0.1:47001", route = echo, backlog = 1000 }
              routes.echo { type = echo }
            }
            """);

        var listening = await router.RecordAsync("listening");
        Assert.Equal(1000, listening.GetProperty("backlog-asked").GetInt32());
        Assert.Equal(7, listening.GetProperty("backlog-granted").GetInt32());
    }

    private static Socket Connecting()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(Client.Loopback(Port));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // decided later
        }

        return socket;
    }
}

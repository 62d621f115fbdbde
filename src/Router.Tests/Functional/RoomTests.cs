using System.Net.Sockets;
using System.Text;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Rooms of the shipped program: hocon/examples/room.conf, talked in by socat over UDP and TCP.</summary>
public sealed class RoomTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private static string Example => Repository.Read("hocon/examples/room.conf");

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task Clients_over_UDP_and_TCP_hear_each_other_on_two_loops()
    {
        await RouterAsync(Example, "--set", "router.loops=2");
        var clients = new List<RunningProcess>();
        foreach (var address in new[] { "TCP:127.0.0.1:2212", "UDP:127.0.0.1:2212", "TCP:127.0.0.1:2212" })
        {
            var client = await ProgramAsync("socat", "-", address);
            await client.Input.WriteAsync("lobby\n");
            await client.Input.FlushAsync();
            clients.Add(client);
        }

        await SayUntilHeardAsync(clients[0], "from a stream", clients[1..]);
        await SayUntilHeardAsync(clients[1], "from a datagram", [clients[0], clients[2]]);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_member_that_never_reads_does_not_slow_the_others_and_its_losses_are_recorded()
    {
        const int Said = 20_000;
        var router = await RouterAsync(Example, "--set", "router.log.stats-interval=1s");
        using var slow = await Network.RunAsync(() => Join(Client.Tcp(2212)));
        using var speaker = await Network.RunAsync(() => Join(Client.Udp(2212)));
        using var hearer = await Network.RunAsync(() => Join(Client.Udp(2212)));
        var payload = new byte[1_000];

        // The slow one's socket buffers hold some megabytes: what is said beyond them is not taken for it.
        var heard = await Network.RunAsync(() =>
        {
            var room = new byte[2_000];
            var count = 0;
            do
            {
                speaker.Send(payload);   // until the hearer has joined, which its loop does in its own time
            }
            while (!hearer.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));

            while (count < Said)
            {
                speaker.Send(payload);
                count += hearer.Receive(room) == payload.Length ? 1 : 0;
            }

            return count;
        });
        Assert.Equal(Said, heard);
        var drops = await router.RecordAsync("drops");
        Assert.Equal("room-slow", drops.GetProperty("reason").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_forged_or_silent_peer_is_challenged_and_a_malformed_token_is_recorded()
    {
        var router = await RouterAsync(
            Example,
            "--set", "router.routes.rooms.validate=round-trip",
            "--set", "router.routes.rooms.validate-timeout=1s",
            "--set", "router.log.stats-interval=1s");
        using var peer = await Network.RunAsync(() => Client.Udp(2212));
        var challenge = await Network.RunAsync(() =>
        {
            peer.Send("lobby"u8);
            var line = new byte[100];
            var length = peer.Receive(line);
            peer.Send("challenge 0123"u8);
            return Encoding.ASCII.GetString(line, 0, length);
        });
        Assert.Matches("^challenge [0-9a-f]{32}\n$", challenge);

        var drops = await router.RecordAsync("drops");
        Assert.Equal("unvalidated", drops.GetProperty("reason").GetString());
        var closed = await router.RecordAsync("session-closed");
        Assert.Equal("unvalidated", closed.GetProperty("reason").GetString());
    }

    private static Socket Join(Socket socket)
    {
        socket.Send(socket.SocketType == SocketType.Dgram ? "lobby"u8 : "lobby\n"u8);
        return socket;
    }

    /// <summary>Again and again: when it has joined is not to be seen from outside.</summary>
    private static async Task SayUntilHeardAsync(RunningProcess speaker, string line, List<RunningProcess> hearers)
    {
        var heard = Task.WhenAll(hearers.Select(hearer => hearer.Output.WaitAsync(said => said == line)));
        while (!heard.IsCompleted)
        {
            await speaker.Input.WriteAsync(line + "\n");
            await speaker.Input.FlushAsync();
            await Until.PassedAsync(TimeSpan.FromMilliseconds(50));
        }

        await heard;
        Assert.DoesNotContain(line, speaker.Output.Lines);
    }
}

using System.Net.Sockets;
using System.Text;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Rooms across processes: hocon/examples/cluster-room.conf, started as it is and once more.</summary>
[Collection(MemberTests.Name)]
public sealed class ClusterRoomTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int Kill = 9;

    private static readonly string[] Second =
    [
        "--set", "router.cluster.port=27201",
        "--set", "router.listeners.talk.bind=[\"udp://127.0.0.1:2213\", \"tcp://127.0.0.1:2213\"]",
    ];

    private static string Example => Repository.Read("hocon/examples/cluster-room.conf");

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Clients_of_two_members_hear_each_other_over_UDP_and_TCP_until_one_dies()
    {
        var one = await RouterAsync(Example);
        var two = await RouterAsync(Example, Second);
        using var udp = await JoinAsync(() => Client.Udp(2212));
        using var far = await JoinAsync(() => Client.Udp(2213));
        using var stream = await JoinAsync(() => Client.Tcp(2213));
        await SayUntilHeardAsync(udp, "from a datagram", far, stream);
        await SayUntilHeardAsync(stream, "from a stream\n", udp);

        two.Signal(Kill);
        using var near = await JoinAsync(() => Client.Udp(2212));
        await SayUntilHeardAsync(udp, "who is left", near);
        await one.RecordAsync("member-removed");
        await SayUntilHeardAsync(near, "we are", udp);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_member_that_stands_still_misses_payloads_which_are_counted_and_nobody_else_does()
    {
        const int Said = 3_000;
        string[] window = ["--set", "router.cluster.room-window=512KiB", "--set", "router.log.stats-interval=1s"];
        var one = await RouterAsync(Example, window);
        var two = await RouterAsync(Example, [.. Second, .. window]);
        using var speaker = await JoinAsync(() => Client.Udp(2212));
        using var near = await JoinAsync(() => Client.Udp(2212));
        using var far = await JoinAsync(() => Client.Udp(2213));
        await SayUntilHeardAsync(speaker, "hello", near, far);

        two.Signal(Stop);
        var heard = await Network.RunAsync(() =>
        {
            var (payload, room) = (new byte[1_000], new byte[2_000]);
            var count = 0;
            while (count < Said)
            {
                speaker.Send(payload);
                count += near.Receive(room) == payload.Length ? 1 : 0;
            }

            return count;
        });
        two.Signal(Continue);

        Assert.Equal(Said, heard);
        var drops = await one.RecordAsync("drops");
        Assert.Equal("room-behind", drops.GetProperty("reason").GetString());
        var behind = await one.RecordAsync("room-behind");
        Assert.InRange(behind.GetProperty("payloads").GetInt64(), 1, Said);
        Assert.InRange(behind.GetProperty("on-the-way").GetInt64(), 400_000, 512 << 10);
    }

    private async Task<Socket> JoinAsync(Func<Socket> connect) => await Network.RunAsync(() =>
    {
        var socket = connect();
        socket.Send(socket.SocketType == SocketType.Dgram ? "lobby"u8 : "lobby\n"u8);
        return socket;
    });

    /// <summary>Again and again: when it has joined is not to be seen from outside.</summary>
    private static async Task SayUntilHeardAsync(Socket speaker, string text, params Socket[] hearers)
    {
        foreach (var hearer in hearers)
        {
            var said = Encoding.ASCII.GetBytes(text);
            var heard = new StringBuilder();
            var buffer = new byte[64 << 10];
            await Until.TrueAsync(
                () =>
                {
                    speaker.Send(said);
                    while (hearer.Available > 0)
                    {
                        heard.Append(Encoding.ASCII.GetString(buffer, 0, hearer.Receive(buffer)));
                    }

                    return heard.ToString().Contains(text.TrimEnd(), StringComparison.Ordinal);
                },
                () => $"'{text}' is not heard, but '{heard}'");
        }
    }
}

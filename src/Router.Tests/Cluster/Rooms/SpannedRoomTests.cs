using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Configuration;
using Router.Net;
using Router.Running;
using Router.Tests.Functional;
using Router.Tests.Running;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Tests.Cluster.Rooms;

/// <summary>Routers that are members of one cluster, in one process, on real sockets of loopback.</summary>
public sealed class SpannedRoomTests : IAsyncLifetime
{
    private readonly List<RouterEngine> _members = [];
    private readonly List<Socket> _clients = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _clients.ForEach(static client => client.Dispose());
        await Task.WhenAll(_members.Select(static member => member.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Sessions_of_two_members_are_one_room_and_a_third_without_any_in_it_hears_nothing()
    {
        var (one, two, three) = (Start(), Start(), Start());
        var (speaker, hearer, other) = (Join(one, "red"), Join(two, "red"), Join(three, "blue"));
        await MeetAsync(speaker, hearer);

        // Once, in their order, and not to the speaker.
        for (var i = 0; i < 200; i++)
        {
            speaker.Send(Encoding.ASCII.GetBytes($"{i}"));
        }

        var heard = new List<string>();
        await Until.TrueAsync(
            () =>
            {
                heard.AddRange(TextsAt(hearer).Where(static text => text != "meet"));
                return heard.Count >= 200;
            },
            () => $"heard {heard.Count}");
        Assert.Equal(Enumerable.Range(0, 200).Select(static i => $"{i}"), heard);
        Assert.Empty(TextsAt(speaker));

        hearer.Send("back"u8);
        await Until.TrueAsync(() => speaker.Available > 0, () => "nothing comes back");
        Assert.Equal(["back"], TextsAt(speaker));
        Assert.Empty(TextsAt(hearer));

        Assert.Equal(0, three.Rooms!.Figures.Received);
        Assert.Empty(three.Rooms.Table.Peers);   // no member has sent it anything
        Assert.Empty(TextsAt(other));
        Assert.Equal(one.Rooms!.Figures.Published, two.Rooms!.Figures.Received);
        Assert.Equal(0, one.Rooms.Figures.Behind + two.Rooms.Figures.Late);
    }

    [Fact]
    public async Task When_the_last_session_of_a_room_has_left_a_member_its_topic_is_heard_of_no_more()
    {
        var (one, two) = (Start(), Start());
        var (speaker, hearer) = (Join(one, "red"), Join(two, "red"));
        await MeetAsync(speaker, hearer);
        Assert.Equal((1, 1), (one.Rooms!.Figures.Rooms, one.Rooms.Figures.Listeners));

        // Its session ends with the idle timeout, while the speaker goes on.
        var before = 0L;
        await Until.TrueAsync(
            () =>
            {
                speaker.Send("anybody there?"u8);
                (var published, before) = (one.Rooms.Figures.Published - before, one.Rooms.Figures.Published);
                return one.Rooms.Figures.Listeners == 0 && published == 0;
            },
            () => $"still {one.Rooms.Figures}");
        Assert.Equal(0, two.Rooms!.Figures.Rooms);

        // And it is there again with the next one.
        await MeetAsync(speaker, Join(two, "red"));
    }

    [Fact]
    public async Task Rooms_of_a_member_alone_are_not_told_of()
    {
        var (one, two) = (Start("span = member"), Start("span = member"));
        Join(one, "red");
        Join(two, "red");
        await Until.TrueAsync(() => one.Stats.Sessions + two.Stats.Sessions == 2, () => "not joined");
        Assert.Equal(ActorRefs.Nobody, one.Rooms!.Rooms);   // not even started
    }

    [Fact]
    public async Task Without_a_cluster_a_room_has_nothing_of_it()
    {
        var alone = Start(cluster: "");
        var (speaker, hearer) = (Join(alone, "red"), Join(alone, "red"));
        await MeetAsync(speaker, hearer);
        Assert.Null(alone.Rooms);
    }

    private RouterEngine Start(string more = "", string? cluster = null)
    {
        var seeds = _members.Count == 0
            ? ""
            : $"\"127.0.0.1:{AkkaCluster.Get(_members[0].System).SelfAddress.Port}\"";
        using var file = new TextFile($$"""
            router {
              loops = 2
              drain-timeout = 1ms
              {{cluster ?? "cluster { port = 0, seeds = [" + seeds + "] }"}}
              listeners.a { bind = "udp://127.0.0.1:0", route = rooms, idle-timeout = 2s }
              routes.rooms { type = room, validate = none, {{more}} }
            }
            """);
        var loaded = SetupLoader.Load(file.Path, [], ProgramParts.None, TimeProvider.System);
        Assert.Empty(loaded.Faults);
        var member = loaded.Setup!.Start(TimeProvider.System, RandomSource.System, NullLogger.Instance, out var faults);
        Assert.Empty(faults);
        _members.Add(member!);
        return member!;
    }

    private Socket Join(RouterEngine member, string room)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(member.Bound[0].Address.ToIPEndPoint());
        client.Send(Encoding.ASCII.GetBytes(room));
        _clients.Add(client);
        return client;
    }

    /// <summary>Says something until it is heard, and then waits for the rest of it.</summary>
    private static async Task MeetAsync(Socket speaker, Socket hearer)
    {
        await Until.TrueAsync(
            () =>
            {
                speaker.Send("meet"u8);
                return hearer.Available > 0;
            },
            () => "they do not meet");
        hearer.Send("met"u8);
        await Until.TrueAsync(() => speaker.Available > 0, () => "they do not meet both ways");
        TextsAt(speaker);
    }

    private static List<string> TextsAt(Socket client)
    {
        var (texts, buffer) = (new List<string>(), new byte[100]);
        while (client.Available > 0)
        {
            texts.Add(Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer)));
        }

        return texts;
    }
}

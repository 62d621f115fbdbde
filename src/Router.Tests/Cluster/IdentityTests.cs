using Router.Cluster;
using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>Identities over real members, sockets and remoting.</summary>
public sealed class IdentityTests
{
    private const string FirstLine = "identity { first-line = \"^(\\\\w+)\" }";

    [Fact]
    public async Task A_peer_that_comes_from_another_address_finds_its_state_and_the_session_before_ends()
    {
        await using var member = await StartAsync(null, FirstLine);
        using var first = member.Client();
        using var second = member.Client();

        Assert.Equal("1 1", await AskAsync(first, "alice"));
        Assert.Equal("2 1", await AskAsync(first, "alice"));
        Assert.Equal("3 2", await AskAsync(second, "alice"));

        await member.Log.Seen("session-closed");
        Assert.Contains("superseded", Assert.Single(member.Log.Texts("session-closed")), StringComparison.Ordinal);
        await member.Log.Seen("session-detached");
        var record = Assert.Single(member.Log.Texts("session-detached"));
        Assert.Contains($"superseded by", record, StringComparison.Ordinal);
        Assert.Contains($"{second.LocalEndPoint}", record, StringComparison.Ordinal);
        Assert.Equal("4 3", await AskAsync(first, "alice"));
    }

    [Fact]
    public async Task A_peer_that_comes_to_another_member_finds_its_state_there()
    {
        await using var one = await StartAsync(null, FirstLine);
        await using var two = await StartAsync(one.Seed, FirstLine);
        await one.IsAmongAsync(2);
        await two.IsAmongAsync(2);
        for (var i = 0; i < 8; i++)   // some of their entities are at each member
        {
            using var before = one.Client();
            using var after = two.Client();
            Assert.Equal("1 1", await AskAsync(before, $"peer{i}"));
            Assert.Equal("2 2", await AskAsync(after, $"peer{i}"));
            Assert.Equal("3 3", await AskAsync(before, $"peer{i}"));
        }
    }

    [Fact]
    public async Task A_member_that_leaves_hands_its_identities_over_with_their_state()
    {
        const int Peers = 40;
        await using var one = await StartAsync(null, FirstLine);
        await using var two = await StartAsync(one.Seed, FirstLine);
        await one.IsAmongAsync(2);
        await two.IsAmongAsync(2);
        var clients = new List<System.Net.Sockets.Socket>();   // kept, so that no port is given twice
        for (var i = 0; i < Peers; i++)
        {
            clients.Add((i % 2 == 0 ? one : two).Client());
            Assert.Equal("1 1", await AskAsync(clients[^1], $"peer{i}"));
        }

        RouterCluster.Get(two.System).Identity("absent").Tell("waits");
        await one.StopAsync();
        await two.IsAmongAsync(1);
        for (var i = 0; i < Peers; i++)
        {
            clients.Add(two.Client());
            Assert.StartsWith("2 ", await AskAsync(clients[^1], $"peer{i}"), StringComparison.Ordinal);
        }

        clients.ForEach(static client => client.Dispose());

        using var absent = two.Client();
        await absent.SendAsync("absent"u8.ToArray());
        var heard = new[] { await HearAsync(absent), await HearAsync(absent) };
        Assert.Equal(["1 1", "told waits"], heard.Order());
        Assert.Equal(Peers / 2, one.Log.Texts("session-closed").Count(static text =>
            text.Contains("handed-off", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_hub_that_is_killed_is_started_anew_and_knows_its_sessions()
    {
        await using var member = await StartAsync(null, FirstLine);
        using var first = member.Client();
        using var second = member.Client();
        Assert.Equal("1 1", await AskAsync(first, "alice"));
        member.System.ActorSelection($"/user/{IdentityMembers.HubName}").Tell(PoisonPill.Instance);
        await member.Log.Seen("cluster-actor-restarted");

        Assert.Equal("2 2", await AskAsync(second, "alice"));
        await member.Log.Seen("session-closed");
        Assert.Contains("superseded", Assert.Single(member.Log.Texts("session-closed")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_when_an_identity_is_forgotten_and_what_is_carried_late_reach_its_entity()
    {
        await using var member = await StartAsync(null, FirstLine);
        using var client = member.Client();
        Assert.Equal("1 1", await AskAsync(client, "other"));   // the shards are there
        var identity = RouterCluster.Get(member.System).Identity("alice");
        Assert.Equal(Delivery.NotAttached, await identity.AskAsync("?", RunningProcess.Patience));
        var path = $"/system/sharding/{RouterCluster.TypeName}/{new IdentityExtractor(64).ShardId("alice")}/alice";
        var entity = await member.System.ActorSelection(path).ResolveOne(RunningProcess.Patience);

        // It rests by its first alarm, and ends: the question is behind that, and before its shard has heard.
        using var held = new ManualResetEventSlim();
        entity.Tell(DescribeIdentity.Instance, new HoldingRef(member.System, held));
        entity.Tell(new WakeEntity(1));
        var answer = entity.Ask<Answered>(
            asker => new Tell("alice", "?", ActorRefs.Nobody, asker), RunningProcess.Patience, default);
        held.Set();
        Assert.Equal(Delivery.NotAttached, (await answer).Delivery);
        var next = await member.System.ActorSelection(path).ResolveOne(RunningProcess.Patience);
        Assert.NotEqual(entity, next);

        var kept = new Checkpoint("alice", 5, 7, System.Text.Encoding.ASCII.GetBytes("7"));
        await member.System.ActorSelection($"/user/{HandOverActor.Name}").Ask<CarryTaken>(
            new CarryPack(1, Wakes: false, [new CarriedIdentity(kept, null, [], IsSure: true, ClaimsLost: 0)]),
            RunningProcess.Patience);
        using var alice = member.Client();
        Assert.Equal("8 6", await AskAsync(alice, "alice"));
    }

    [Fact]
    public async Task A_stream_is_attached_when_its_first_line_is_there_and_replies_wait_for_the_checkpoint()
    {
        await using var member = await StartAsync(
            null, FirstLine + ", checkpoint-sync = on", transport: "tcp");
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(member.Udp);
        await client.GetStream().WriteAsync("car"u8.ToArray());
        await client.GetStream().WriteAsync("ol rest\n"u8.ToArray());
        var buffer = new byte[100];
        var read = 0;
        while (read < 6)   // "1 12 1": both writes may come as one payload or as two
        {
            read += await client.GetStream().ReadAsync(buffer.AsMemory(read));
            if (System.Text.Encoding.ASCII.GetString(buffer, 0, read) == "1 1")
            {
                break;
            }
        }

        Assert.StartsWith("1 1", System.Text.Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        Assert.Equal(
            Delivery.NotAttached,
            await RouterCluster.Get(member.System).Identity("car").AskAsync("?", RunningProcess.Patience));
    }

    [Fact]
    public async Task What_is_told_to_an_identity_reaches_its_session_at_whichever_member_or_waits_for_it()
    {
        await using var one = await StartAsync(null, FirstLine);
        await using var two = await StartAsync(one.Seed, FirstLine);
        await two.IsAmongAsync(2);
        var fromTwo = RouterCluster.Get(two.System);
        fromTwo.Identity("bob").Tell("early");
        using var client = one.Client();
        await client.SendAsync("bob"u8.ToArray());
        var heard = new[] { await HearAsync(client), await HearAsync(client) };

        Assert.Equal(["1 1", "told early"], heard.Order());
        Assert.Equal(
            Delivery.Delivered, await fromTwo.Identity("bob").AskAsync("late", RunningProcess.Patience));
        Assert.Equal("told late", await HearAsync(client));
        Assert.Equal(
            Delivery.NotAttached, await fromTwo.Identity("nobody").AskAsync("lost", RunningProcess.Patience));
    }

    /// <summary>Keeps who answers it from going on until it is let.</summary>
    private sealed class HoldingRef(ActorSystem system, ManualResetEventSlim isLet) : MinimalActorRef
    {
        public override ActorPath Path => system.DeadLetters.Path;

        public override IActorRefProvider Provider => ((ExtendedActorSystem)system).Provider;

        protected override void TellInternal(object message, IActorRef sender) =>
            Assert.True(isLet.Wait(RunningProcess.Patience));
    }
}

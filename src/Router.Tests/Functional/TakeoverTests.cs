using System.Globalization;
using Router.Tests.Cluster.Checkpoints;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Peers with an identity, whose member dies, stands still or leaves while they talk: docs/cluster.md promises
/// what becomes of them.</summary>
[Collection(MemberTests.Name)]
public sealed class TakeoverTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 5300;
    private const int Peers = 30;

    /// <summary>Detection and the entities' new start take four to five seconds; a loaded machine takes longer.
    /// </summary>
    private static readonly TimeSpan TakeoverMax = TimeSpan.FromSeconds(20);

    private readonly ITestOutputHelper _output = output;

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task Peers_of_a_member_that_is_killed_go_on_at_others_with_what_was_kept_for_them()
    {
        var server = new PostgresServer();
        await server.StartAsync();
        try
        {
            var keys = $"checkpoints = postgres, postgres.connection = \"{server.Connection()}\"";
            var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config(keys, "checkpoint-sync = on"));
            var peers = await PeersAsync(rig, member: 1);
            var counts = await CountAsync(peers);

            rig[1].Signal(TestLibc.SigKill);   // the oldest member, which has the coordinator
            var taken = await TakeOverAsync(peers, counts, from: 1);

            _output.WriteLine($"all taken over {taken.TotalMilliseconds:0} ms after the kill");
            Assert.InRange(taken, TimeSpan.Zero, TakeoverMax);
            Dispose(peers);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task A_member_that_stood_still_while_its_peers_were_taken_over_tells_them_nothing_more()
    {
        var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config("", "checkpoint-interval = 0s"));
        var peers = await PeersAsync(rig, member: 3);
        await CountAsync(peers);

        await rig.FreezeAsync(3);
        peers.ForEach(static peer => _ = peer.Take());
        peers.ForEach(static peer => peer.Send("x"));   // waits in its socket until it wakes
        await TakeOverAsync(peers, counts: null, from: 3);
        var answers = peers.Sum(static peer => peer.Answers.Count(static answer => answer.Member == 3));
        rig.Thaw(3);
        await rig[3].ExitAsync();

        peers.ForEach(static peer => _ = peer.Take());
        Assert.Equal(answers, peers.Sum(static peer => peer.Answers.Count(static answer => answer.Member == 3)));
        Dispose(peers);
    }

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task Peers_of_a_member_that_leaves_go_on_at_others_and_nothing_is_lost()
    {
        var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config("", ""));
        var peers = await PeersAsync(rig, member: 2);
        var counts = await CountAsync(peers);

        rig[2].Signal(TestLibc.SigTerm);
        await rig[2].RecordAsync("draining");
        var taken = await TakeOverAsync(peers, counts, from: 2);
        var exit = await rig[2].ExitAsync();

        _output.WriteLine($"all answered by others {taken.TotalMilliseconds:0} ms after the drain began");
        Assert.Equal(0, exit);
        Assert.Empty(rig[2].RecordsOf("not-detached"));
        Dispose(peers);
    }

    private static string Config(string cluster, string listener) => $$"""
        router {
          loops = 1
          cluster {
            {{cluster}}
          }
          listeners.count {
            bind = "udp://0.0.0.0:5300"
            route = count
            identity { first-line = "^(\\w+)" }
            {{listener}}
          }
          routes.count { type = handler, class = "Router.Tests.Cluster.CountingHandler, Router.Tests" }
        }
        """;

    private static async Task<List<Peer>> PeersAsync(ClusterRig rig, int member)
    {
        var peers = new List<Peer>();
        for (var i = 0; i < Peers; i++)
        {
            peers.Add(new Peer($"peer{i}", await rig.ClientAsync(Port)) { Client = { Member = member } });
        }

        return peers;
    }

    /// <summary>Has each say something a few times, and be answered each time.</summary>
    /// <returns>The last count that each has been told.</returns>
    private static async Task<Dictionary<Peer, long>> CountAsync(List<Peer> peers)
    {
        for (var round = 1; round <= 3; round++)
        {
            peers.ForEach(static peer => peer.Send());
            await Until.TrueAsync(
                () => peers.TrueForAll(peer => peer.Take() >= round), () => $"round {round} is not answered");
        }

        return peers.ToDictionary(static peer => peer, static peer => peer.Count);
    }

    /// <summary>Has the peers talk to the other members until each has been answered there.</summary>
    /// <param name="peers">Who.</param>
    /// <param name="counts">What each was told last; its count must go on from there. Null where that is not known.
    /// </param>
    /// <param name="from">The member that they come from.</param>
    private static async Task<TimeSpan> TakeOverAsync(List<Peer> peers, Dictionary<Peer, long>? counts, int from)
    {
        for (var i = 0; i < peers.Count; i++)
        {
            peers[i].Client.Member = from == 1 + (i % 3) ? 1 + ((i + 1) % 3) : 1 + (i % 3);
        }

        var taken = await Until.TrueAsync(
            () =>
            {
                foreach (var peer in peers.Where(peer => !peer.IsAnsweredByOtherThan(from)))
                {
                    peer.Send();
                    peer.Take();
                }

                return peers.TrueForAll(peer => peer.IsAnsweredByOtherThan(from));
            },
            () => $"{peers.Count(peer => !peer.IsAnsweredByOtherThan(from))} peers are not taken over");
        foreach (var (peer, count) in counts ?? [])
        {
            var first = peer.Client.Answers.First(answer => answer.Member != from).Text;
            Assert.True(
                long.Parse(first.Split(' ')[0], CultureInfo.InvariantCulture) == count + 1,
                $"{peer.Name} was told {count} last, and then {first}");
        }

        return taken;
    }

    private static void Dispose(List<Peer> peers) => peers.ForEach(static peer => peer.Client.Dispose());

    private sealed class Peer(string name, ClusterClient client)
    {
        public string Name => name;

        public ClusterClient Client => client;

        public List<(int Member, string Text, long At)> Answers => client.Answers;

        public long Count => long.Parse(client.Answers[^1].Text.Split(' ')[0], CultureInfo.InvariantCulture);

        public void Send(string what = "count") => client.Send($"{name} {what}");

        /// <returns>Answers so far.</returns>
        public int Take()
        {
            client.Take();
            return client.Answers.Count;
        }

        public bool IsAnsweredByOtherThan(int member) => client.Answers.Exists(answer => answer.Member != member);
    }
}

using System.Net;
using Router.Listeners;
using Router.Running;
using Router.TestKit;
using Router.TestKit.Simulation;
using Router.Tests.Running;

namespace Router.Tests.Simulation;

/// <summary>
/// Reloads against everything: binds that fail, drains, stops, sessions that are being opened, upstreams that are being
/// connected to.
/// </summary>
public sealed class ReloadRaceTests
{
    private const int Seeds = 60;
    private const int Steps = 60;

    private static readonly string[] Upstreams = ["10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53", "gone.test:53"];

    [Fact]
    public void Whatever_is_reloaded_when_every_session_ends_once_and_nothing_is_left() =>
        RouterTestKit.ForEachSeed(1, Seeds, Run);

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            Assert.Equal(TraceOf(seed), TraceOf(seed));
        }

        static ulong TraceOf(long seed)
        {
            var hash = 0ul;
            RouterTestKit.ForEachSeed(seed, 1, kit =>
            {
                Run(kit);
                hash = kit.TraceHash;
            });
            return hash;
        }
    }

    private static void Run(RouterTestKit kit)
    {
        var random = kit.Random;
        using var rig = new ReloadRig(TextOf(random, faults: 0), kit);
        rig.Resolver.Names["gone.test"] = ["10.0.0.3"];
        kit.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(random.Next(30));
        kit.Network.Faults.InjectAtRandom(NetworkOperation.BindDatagram, Router.Net.Errno.EADDRINUSE, 0.1);
        kit.Network.Faults.InjectAtRandom(NetworkOperation.Listen, Router.Net.Errno.EADDRINUSE, 0.1);
        foreach (var upstream in Upstreams.Take(3))
        {
            rig.Echo(upstream);
            kit.TcpServer(upstream).OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        }

        var peers = Enumerable.Range(0, 8)
            .Select(i => rig.Peer($"192.0.2.1:{5000 + i}", $"198.51.100.1:{9000 + (i % 4)}"))
            .ToList();
        var asked = new List<Task<ReloadResult>>();
        for (var step = 0; step < Steps; step++)
        {
            Act(rig, random, peers, asked, step);
            for (var passes = random.Next(4); passes > 0; passes--)
            {
                kit.RunPass();
            }

            if (random.Chance(0.3))
            {
                kit.Advance(TimeSpan.FromMilliseconds(random.Next(120)));
            }

            rig.Track();
        }

        if (random.Chance(0.5))
        {
            kit.Advance(TimeSpan.FromSeconds(5));   // every drain ends
            Assert.All(asked, reload => Assert.True(reload.IsCompleted));
            Assert.Equal(rig.Running.Bound.Count, rig.Running.Binds.Count);
        }

        rig.AssertNothingLeftAfterStop();
        Assert.All(asked, reload => Assert.True(reload.IsCompleted));
    }

    private static void Act(
        ReloadRig rig,
        SeededRandom random,
        List<UdpPeer> peers,
        List<Task<ReloadResult>> asked,
        int step)
    {
        switch (random.Next(10))
        {
            case 0 or 1 or 2 or 3:
                peers[random.Next(peers.Count)].Send(new byte[random.Next(100)]);
                break;
            case 4 or 5:
                var stream = rig.Stream($"192.0.2.2:{5000 + step}", $"198.51.100.1:{9000 + random.Next(4)}");
                if (!stream.HasEnded)
                {
                    stream.Send(new byte[random.Next(3_000)]);
                }

                break;
            case 6 or 7 or 8:
                asked.Add(rig.Ask(TextOf(random)));
                break;
            case 9 when random.Chance(0.05):
                rig.TellStop();
                break;
            case 9 when random.Chance(0.2):
                foreach (var shard in rig.Running.Binds.SelectMany(bind => bind.Shards).OfType<UdpShard>())
                {
                    shard.Actor.Tell(Kill.Instance);
                }

                break;
            default:
                rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(Upstreams[0]), random.Chance(0.5));
                break;
        }
    }

    /// <summary>Any of many configurations; some of them are faulty.</summary>
    private static string TextOf(SeededRandom random, double faults = 0.1)
    {
        var text = new System.Text.StringBuilder("router { drain-timeout = 1s, routes { e { type = echo } }\n");
        text.Append("listener-defaults { max-sessions = ").Append(1 + random.Next(10));
        text.Append(", idle-timeout = ").Append(100 + random.Next(2_000)).Append("ms }\n");
        string[] removals = ["finish", "close", "re-pick"];
        var upstreams = Upstreams.Where(_ => random.Chance(0.6)).DefaultIfEmpty(Upstreams[1]);
        text.Append("routes.p { type = proxy, on-upstream-removed = ").Append(removals[random.Next(3)]);
        text.Append(", upstreams = [\"").AppendJoin("\", \"", upstreams).Append("\"] }\n");
        var any = false;
        for (var i = 0; i < 4; i++)
        {
            if (any && random.Chance(0.4))
            {
                continue;
            }

            any = true;
            var binds = random.Next(3) switch
            {
                0 => $"\"udp://198.51.100.1:{9000 + i}\"",
                1 => $"\"tcp://198.51.100.1:{9000 + i}\"",
                _ => $"\"udp://198.51.100.1:{9000 + i}\", \"tcp://198.51.100.1:{9000 + i}\"",
            };
            text.Append("listeners.").Append("abcd"[random.Chance(0.2) ? (i + 1) % 4 : i]);
            text.Append(" { bind = [").Append(binds).Append("], route = ");
            text.Append(random.Chance(0.7) ? "p" : "e").Append(" }\n");
        }

        return text.Append(random.Chance(faults) ? "lops = 1 }" : "}").ToString();
    }
}

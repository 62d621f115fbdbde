using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;
using Router.Tests.Sessions;

namespace Router.Tests.Simulation;

/// <summary>Idle timeout, lifetime, stop, drain, crash, reset and load against each other, in every order that seeds
/// bring about.</summary>
/// <remarks>Held in every run: nothing escapes containment, every opened session ends exactly once, and nothing is
/// left over.</remarks>
public sealed class SessionRaceTests
{
    /// <summary>Seeds of a run in CI; more by hand: any range is as good as another.</summary>
    private const int Seeds = 300;

    private const int Steps = 60;

    /// <summary>Also with sessions made ahead: three, so that they run out and are refilled.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    public void Whatever_meets_whatever_every_session_ends_once_and_nothing_is_left(bool onPool, int prepared) =>
        RouterTestKit.ForEachSeed(
            first: onPool ? 10_000 : 1,
            Seeds,
            kit =>
            {
                Run(kit, onPool);
                kit.Advance(TimeSpan.FromSeconds(1));
                Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
            },
            prepared: prepared);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_same_seed_gives_the_same_trace(bool onPool)
    {
        ulong Trace(long seed)
        {
            var hash = 0ul;
            RouterTestKit.ForEachSeed(seed, 1, kit =>
            {
                Run(kit, onPool);
                hash = kit.TraceHash;
            });
            return hash;
        }

        for (var seed = 1; seed <= 10; seed++)
        {
            Assert.Equal(Trace(seed), Trace(seed));
        }

        Assert.NotEqual(Trace(1), Trace(2));
    }

    private static void Run(RouterTestKit kit, bool onPool)
    {
        var random = kit.Random;
        var faults = kit.Network.Faults;
        kit.Network.StreamBufferBytes = 4_096;
        faults.DelayMax = TimeSpan.FromMilliseconds(random.Next(20));
        faults.Loss = faults.Duplication = faults.Reordering = faults.ShortReads = faults.ShortWrites = 0.1;
        faults.InjectAtRandom(NetworkOperation.StreamSend, Errno.EAGAIN, 0.1);
        faults.InjectAtRandom(NetworkOperation.StreamReceive, Errno.ECONNRESET, 0.01);
        faults.InjectAtRandom(NetworkOperation.DatagramSend, Errno.ENOBUFS, 0.05);
        faults.InjectAtRandom(NetworkOperation.Accept, Errno.EMFILE, 0.1);
        kit.Limits = kit.Limits with
        {
            IdleTimeout = TimeSpan.FromMilliseconds(200),
            MaxLifetime = TimeSpan.FromMilliseconds(900),
            MaxSessions = 6,
            MaxRestarts = 2,
            MailboxMessages = 8,
            MailboxBytes = 16_384,
            WriteBuffer = 4_096,
            OnPool = onPool,
        };
        var ends = new Dictionary<SessionId, int>();
        SessionHandler Create() => MakeHandler(random, ends);
        var udp = kit.BindUdp(Create);
        var tcp = kit.BindTcp(Create);
        var udpPeers = Enumerable.Range(0, 5).Select(i => kit.UdpPeer($"192.0.2.1:{5000 + i}", udp)).ToArray();
        var tcpPeers = new List<TcpPeer>();
        for (var step = 0; step < Steps; step++)
        {
            Act(kit, udp, tcp, udpPeers, tcpPeers, step);
            for (var passes = random.Next(4); passes > 0; passes--)
            {
                kit.RunPass();
            }

            if (random.Chance(0.3))
            {
                kit.Advance(TimeSpan.FromMilliseconds(random.Next(10) == 0 ? 199 + random.Next(12) : random.Next(60)));
            }
        }

        if (random.Chance(0.5))
        {
            faults.Clear();
            kit.Advance(TimeSpan.FromSeconds(10));   // every deadline comes
            Assert.Empty(kit.OpenSessions);
            kit.AssertNoLeakedBuffers();
        }

        kit.Stop();
        Assert.Empty(kit.OpenSessions);
        Assert.Equal(kit.SessionsOpened, kit.ClosedSessions.Count);
        Assert.Equal(kit.SessionsOpened, kit.ClosedSessions.Select(closed => closed.Id).Distinct().Count());
        Assert.All(kit.ClosedSessions, closed => Assert.NotEqual(CloseReason.None, closed.Reason));
        Assert.All(ends.Values, count => Assert.Equal(1, count));
        kit.AssertNoLeakedBuffers();
    }

    private static ScriptHandler MakeHandler(SeededRandom random, Dictionary<SessionId, int> ends) => new()
    {
        RestartSafe = random.Chance(0.5),
        Opened = session =>
        {
            MayCrash(random, 0.05);
            if (random.Chance(0.5))
            {
                session.SetTimer(TimeSpan.FromMilliseconds(random.Next(250)));
            }
        },
        Bytes = (session, bytes) =>
        {
            MayCrash(random, 0.05);
            session.Reply(bytes);
            if (random.Chance(0.03))
            {
                session.Close();
                MayCrash(random, 0.3);   // after it has closed itself
            }
        },
        Timer = session =>
        {
            MayCrash(random, 0.1);
            session.Reply("tick");
            session.SetTimer(TimeSpan.FromMilliseconds(1 + random.Next(100)));
        },
        Message = (session, _) =>
        {
            MayCrash(random, 0.5);
            session.FinishReplies();
        },
        Closed = (session, _) =>
        {
            ends[session.Id] = ends.GetValueOrDefault(session.Id) + 1;
            MayCrash(random, 0.1);
        },
    };

    private static void MayCrash(SeededRandom random, double chance)
    {
        if (random.Chance(chance))
        {
            throw new InvalidOperationException("crash");
        }
    }

    private static void Act(
        RouterTestKit kit, KitListener udp, KitListener tcp, UdpPeer[] udpPeers, List<TcpPeer> tcpPeers, int step)
    {
        var random = kit.Random;
        var bytes = new byte[random.Next(3_000)];
        switch (random.Next(12))
        {
            case 0 or 1 or 2 or 3:
                udpPeers[random.Next(udpPeers.Length)].Send(bytes);
                break;
            case 4 or 5:
                tcpPeers.Add(kit.TcpPeer($"192.0.2.2:{5000 + step}", tcp));
                break;
            case 6 or 7 or 8 when tcpPeers.Count > 0:
                UseStream(random, tcpPeers[random.Next(tcpPeers.Count)], bytes);
                break;
            case 9 when kit.OpenSessions.Count > 0:
                var session = kit.OpenSessions[random.Next(kit.OpenSessions.Count)];
                object message = random.Next(4) switch { 0 => PoisonPill.Instance, 1 => Kill.Instance, _ => "finish" };
                session.Self.Tell(message);
                break;
            case 10 when random.Chance(0.1):
                (random.Chance(0.5) ? udp : tcp).Drain();
                break;
            case 11 when random.Chance(0.2):
                foreach (var shard in udp.Shards.OfType<Router.Listeners.UdpShard>())
                {
                    shard.Actor.Tell(Kill.Instance);
                }

                break;
            default:
                break;
        }
    }

    private static void UseStream(SeededRandom random, TcpPeer peer, byte[] bytes)
    {
        switch (random.Next(8))
        {
            case 0:
                peer.Reset();
                break;
            case 1 when !peer.IsRefused:
                peer.Finish();
                break;
            case 2:
                peer.Close();
                break;
            case 3:
                peer.IsReading = !peer.IsReading;
                break;
            default:
                if (!peer.HasEnded)
                {
                    peer.Send(bytes);
                }

                break;
        }
    }
}

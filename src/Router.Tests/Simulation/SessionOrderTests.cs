using System.Buffers.Binary;
using System.Globalization;
using Router.Listeners;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Simulation;

/// <summary>
/// A session's turns come by two ways, its listener's and its mailbox's, and its actor serves one peer after another:
/// whatever is mixed, order holds and nothing reaches the wrong session.
/// </summary>
/// <remarks>fuzz/sessions.sh runs 10,000 seeds and more.</remarks>
public sealed class SessionOrderTests
{
    private const int Steps = 80;
    private const int Peers = 6;

    private static readonly int Seeds = int.Parse(
        Environment.GetEnvironmentVariable("ROUTER_SEEDS") ?? "200", CultureInfo.InvariantCulture);

    [Fact]
    public void Whatever_turns_are_mixed_a_session_gets_what_each_sender_told_it_in_order() =>
        RouterTestKit.ForEachSeed(1, Seeds, static kit => new OrderRun(kit).Run());

    [Fact]
    public void A_reference_of_an_ended_session_reaches_no_other_peer() =>
        RouterTestKit.ForEachSeed(1_000_000, Seeds, static kit => new ReferenceRun(kit).Run());

    private static UdpPeer[] PeersOf(RouterTestKit kit, KitListener listener) =>
        [.. Enumerable.Range(0, Peers).Select(i => kit.UdpPeer($"192.0.2.1:{5000 + i}", listener))];

    /// <summary>What a sender told: its number, and its place among all that was told and sent.</summary>
    private sealed record Told(int Sender, int Number, int Place);

    /// <summary>Datagrams and messages are numbered, handlers crash, listeners restart.</summary>
    private sealed class OrderRun(RouterTestKit kit)
    {
        private readonly SeededRandom _random = kit.Random;
        private readonly int[] _sent = new int[Peers];
        private readonly int[] _told = new int[3];
        private readonly Dictionary<SessionId, (int Datagram, int[] Messages, SortedSet<int> Waiting)> _seen = [];
        private readonly List<string> _wrong = [];
        private long _handled;
        private int _places;

        public void Run()
        {
            kit.Limits = kit.Limits with
            {
                IdleTimeout = TimeSpan.FromMilliseconds(100),
                MaxRestarts = 3,
                RestartWindow = TimeSpan.FromMilliseconds(500),
            };
            var listener = kit.BindUdp(MakeHandler);
            var peers = PeersOf(kit, listener);
            for (var step = 0; step < Steps; step++)
            {
                Act(listener, peers);
                for (var passes = _random.Next(3); passes > 0; passes--)
                {
                    kit.RunPass();
                }

                if (_random.Chance(0.1))
                {
                    kit.Advance(TimeSpan.FromMilliseconds(_random.Next(150)));
                }
            }

            kit.Advance(TimeSpan.FromSeconds(1));
            Assert.Empty(_wrong);
            Assert.Empty(kit.OpenSessions);
            Assert.Equal(_sent.Sum(), _handled + listener.AllDrops());
            Assert.Equal(kit.SessionsOpened, kit.ClosedSessions.Count);
            kit.Stop();
            kit.AssertNoLeakedBuffers();
        }

        private void Act(KitListener listener, UdpPeer[] peers)
        {
            switch (_random.Next(10))
            {
                case 0 when kit.OpenSessions.Count > 0:
                    Tell(kit.OpenSessions[_random.Next(kit.OpenSessions.Count)], _random.Next(_told.Length));
                    break;
                case 1 when _random.Chance(0.2):
                    ((UdpShard)listener.Shards[0]).Actor.Tell(Kill.Instance);
                    break;
                case 2 when kit.OpenSessions.Count > 0 && _random.Chance(0.3):
                    kit.OpenSessions[_random.Next(kit.OpenSessions.Count)].Self.Tell(Kill.Instance);
                    break;
                default:
                    for (var burst = 1 + _random.Next(4); burst > 0; burst--)
                    {
                        Send(peers, _random.Next(Peers));
                    }

                    break;
            }
        }

        private void Send(UdpPeer[] peers, int peer)
        {
            var payload = new byte[2 * sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(payload, ++_sent[peer]);
            BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(sizeof(int)), ++_places);
            peers[peer].Send(payload);
        }

        private void Tell(SessionContext session, int sender)
        {
            SeenBy(session).Waiting.Add(++_places);
            session.Self.Tell(new Told(sender, ++_told[sender], _places), ActorRefs.NoSender);
        }

        private Handler MakeHandler() => new(this);

        private sealed class Handler(OrderRun run) : SessionHandler
        {
            public override void OnReceived(SessionContext session, PayloadBatch batch)
            {
                foreach (var payload in batch)
                {
                    MayCrash();
                    var number = BinaryPrimitives.ReadInt32LittleEndian(payload);
                    var seen = run.SeenBy(session);
                    var place = BinaryPrimitives.ReadInt32LittleEndian(payload[sizeof(int)..]);
                    var first = seen.Waiting.Min;
                    Note(first == 0 || place < first, $"datagram {number} came before what was told before it");
                    Note(number > seen.Datagram, $"datagram {number} came behind {seen.Datagram}");
                    run._seen[session.Id] = seen with { Datagram = number };
                    run._handled++;
                    Turn(session);
                }
            }

            public override void OnMessage(SessionContext session, object message)
            {
                if (message is Told told)
                {
                    run.SeenBy(session).Waiting.Remove(told.Place);
                    MayCrash();
                    var seen = run.SeenBy(session).Messages;
                    Note(told.Number > seen[told.Sender], $"{told} came behind {seen[told.Sender]}");
                    seen[told.Sender] = told.Number;
                }
            }

            public override void OnTimer(SessionContext session) => MayCrash();

            /// <summary>Thrown here it would be the handler's failure, and no more than a restart.</summary>
            private void Note(bool isRight, string wrong)
            {
                if (!isRight)
                {
                    run._wrong.Add(wrong);
                }
            }

            /// <summary>Now and then the session tells itself, or another, or sets its timer: its mailbox has a turn.
            /// </summary>
            private void Turn(SessionContext session)
            {
                var open = run._random.Next(12) switch
                {
                    0 => session,
                    1 => run.Anyone(),
                    _ => null,
                };
                if (open is not null)
                {
                    run.Tell(open, run._random.Next(run._told.Length));
                }

                if (run._random.Chance(0.1))
                {
                    session.SetTimer(TimeSpan.FromMilliseconds(run._random.Next(50)));
                }

                if (run._random.Chance(0.03))
                {
                    session.Close();
                }
            }

            private void MayCrash()
            {
                if (run._random.Chance(0.05))
                {
                    throw new InvalidOperationException("crash");
                }
            }
        }

        private SessionContext? Anyone() =>
            kit.OpenSessions.Count > 0 ? kit.OpenSessions[_random.Next(kit.OpenSessions.Count)] : null;

        private (int Datagram, int[] Messages, SortedSet<int> Waiting) SeenBy(SessionContext session) =>
            _seen.TryGetValue(session.Id, out var seen) ? seen : _seen[session.Id] = (0, new int[_told.Length], []);
    }

    /// <summary>References and sessions are kept beyond the end, and told of whom they were.</summary>
    private sealed class ReferenceRun(RouterTestKit kit)
    {
        private readonly SeededRandom _random = kit.Random;
        private readonly List<(IActorRef Session, SessionId Id)> _references = [];
        private readonly List<(SessionContext Session, SessionId Id)> _sessions = [];
        private readonly Dictionary<IActorRef, SessionId> _watched = [];
        private readonly HashSet<ActorPath> _paths = [];
        private IActorRef _watcher = ActorRefs.Nobody;
        private readonly List<string> _wrong = [];
        private int _terminations;
        private int _taken;

        public void Run()
        {
            kit.Limits = kit.Limits with { IdleTimeout = TimeSpan.FromMilliseconds(60) };
            var listener = kit.BindUdp(() => new Handler(this));
            var watcher = new Watcher(this);
            _watcher = kit.Sys.ActorOf(Props.Create(() => new WatcherActor(watcher)), "watcher");
            var peers = PeersOf(kit, listener);
            for (var step = 0; step < Steps; step++)
            {
                peers[_random.Next(Peers)].Send("hello"u8);
                TellSomebody();
                for (var passes = _random.Next(4); passes > 0; passes--)
                {
                    kit.RunPass();
                }

                if (_random.Chance(0.3))
                {
                    kit.Advance(TimeSpan.FromMilliseconds(_random.Next(80)));
                }
            }

            kit.Advance(TimeSpan.FromSeconds(1));
            Assert.Empty(_wrong);
            Assert.Empty(kit.OpenSessions);
            Assert.Equal(_watched.Count, _terminations);
            Assert.True(_taken > 0 || kit.SessionsOpened < Peers, "no spare session was taken");
            kit.Stop();
        }

        private void TellSomebody()
        {
            if (_references.Count > 0)
            {
                var (reference, id) = _references[_random.Next(_references.Count)];
                reference.Tell(id, ActorRefs.NoSender);
            }

            if (_sessions.Count > 0)
            {
                var (session, id) = _sessions[_random.Next(_sessions.Count)];
                session.Self.Tell(id, ActorRefs.NoSender);   // of an ended one it is nobody's, or its own
            }

            if (kit.OpenSessions.Count > 0 && _random.Chance(0.1))
            {
                var found = kit.OpenSessions[_random.Next(kit.OpenSessions.Count)];
                var path = found.Ref.Path.ToStringWithoutAddress();
                kit.Sys.ActorSelection(path).Tell(new Identify(found.Id), _watcher);
            }
        }

        private sealed class Handler(ReferenceRun run) : SessionHandler
        {
            public override void OnOpened(SessionContext session)
            {
                if (!run._paths.Add(session.Ref.Path))
                {
                    run._taken++;
                }

                if (run._random.Chance(0.2))
                {
                    run._references.Add((session.Self, session.Id));
                }

                if (run._random.Chance(0.2))
                {
                    run._sessions.Add((session, session.Id));
                }

                if (run._random.Chance(0.1))
                {
                    run._watched.Add(session.Self, session.Id);
                    run._watcher.Tell(session.Self, ActorRefs.NoSender);
                }
            }

            public override void OnReceived(SessionContext session, PayloadBatch batch)
            {
                if (run._random.Chance(0.3))
                {
                    session.Close();
                }
            }

            public override void OnMessage(SessionContext session, object message)
            {
                if (!Equals(session.Id, message))
                {
                    run._wrong.Add($"{session.Id} was told what was for {message}");
                }
            }

            public override void OnClosed(SessionContext session, Router.Diagnostics.CloseReason reason)
            {
                if (run._random.Chance(0.1))
                {
                    run._references.Add((session.Self, session.Id));
                }
            }
        }

        private sealed class Watcher(ReferenceRun run)
        {
            public void On(IActorContext context, object message)
            {
                switch (message)
                {
                    case IActorRef session:
                        context.Watch(session);
                        break;
                    case ActorIdentity { Subject: { } found, MessageId: SessionId id }:
                        run._references.Add((found, run.OwnerOf(found, id)));
                        break;
                    case Terminated ended:
                        if (run.OpenIds().Contains(run._watched[ended.ActorRef]))
                        {
                            run._wrong.Add($"{ended.ActorRef} has ended and its session has not");
                        }

                        run._terminations++;
                        break;
                    default:
                        break;
                }
            }
        }

        /// <summary>Who a path leads to may have changed on the way: from then on it is that one's for good.</summary>
        private SessionId OwnerOf(IActorRef found, SessionId asked) =>
            kit.OpenSessions.FirstOrDefault(session => session.Ref.Equals(found))?.Id ?? asked;

        private IEnumerable<SessionId> OpenIds() => kit.OpenSessions.Select(static session => session.Id);

        private sealed class WatcherActor(Watcher watcher) : UntypedActor
        {
            protected override void OnReceive(object message) => watcher.On(Context, message);
        }
    }
}

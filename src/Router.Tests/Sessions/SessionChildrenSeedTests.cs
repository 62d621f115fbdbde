using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>Children, failures, restarts and ends in any order, by seed.</summary>
public sealed class SessionChildrenSeedTests
{
    private static readonly string[] Payloads = ["text", "text", "boom", "stop child", "child fails", "close"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_session_ends_once_and_takes_its_children_along(bool onPool) =>
        RouterTestKit.ForEachSeed(1, 100, kit => Run(kit, onPool));

    private static void Run(RouterTestKit kit, bool onPool)
    {
        var live = new Counter();
        var disposed = new Counter();
        var strange = new List<object>();
        var made = 0;
        var listener = kit.BindUdp(
            () =>
            {
                made++;
                return new Parent(live, disposed, strange);
            },
            limits: kit.Limits with { OnPool = onPool, MaxRestarts = 3, RestartWindow = TimeSpan.FromSeconds(5) });
        var peers = Enumerable.Range(0, 4).Select(at => kit.UdpPeer($"192.0.2.{at + 1}:5000", listener)).ToArray();
        for (var step = 0; step < 60; step++)
        {
            Step(kit, listener, peers[kit.Random.Next(peers.Length)]);
        }

        kit.Advance(TimeSpan.FromSeconds(40));
        Assert.Empty(kit.OpenSessions);
        Assert.Equal(kit.SessionsOpened, kit.ClosedSessions.Count);
        Assert.Equal((0, made), (live.Count, disposed.Count));
        Assert.Empty(strange);
        kit.AssertNoLeakedBuffers();
    }

    private static void Step(RouterTestKit kit, KitListener listener, UdpPeer peer)
    {
        switch (kit.Random.Next(10))
        {
            case 0:
                kit.Sys.ActorSelection($"{listener.Actor.Path}/*").Tell(Kill.Instance);
                break;
            case 1 when kit.OpenSessions.Count > 0 && !listener.Shards[0].Starting.Contains(kit.OpenSessions[0]):
                ((IInternalActorRef)kit.OpenSessions[0].Self).Stop();
                break;
            case 2 when kit.OpenSessions.Count > 0:
                kit.OpenSessions[^1].Self.Tell(Kill.Instance);
                break;
            case 3 or 4:
                kit.RunPass();
                break;
            case 5:
                kit.RunUntilIdle();
                break;
            default:
                peer.Send(System.Text.Encoding.ASCII.GetBytes(Payloads[kit.Random.Next(Payloads.Length)]));
                break;
        }
    }

    private sealed class Counter
    {
        public int Count { get; set; }
    }

    private sealed class Parent(Counter live, Counter disposed, List<object> strange) : SessionHandler, IDisposable
    {
        public override void OnOpened(SessionContext session)
        {
            for (var child = 0; child < 3; child++)
            {
                session.Watch(session.ActorOf(Props.Create(() => new Child(live)), $"{child}"));
            }
        }

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                if (payload.SequenceEqual("boom"u8))
                {
                    throw new InvalidOperationException("boom");
                }

                if (payload.SequenceEqual("close"u8))
                {
                    session.Close();
                }
                else if (payload.SequenceEqual("stop child"u8) && !session.Child("0").IsNobody())
                {
                    session.Stop(session.Child("0"));
                }
                else
                {
                    session.Child("1").Tell(payload.SequenceEqual("child fails"u8) ? "boom" : "text", session.Self);
                }
            }
        }

        public override void OnMessage(SessionContext session, object message)
        {
            if (message is not ("text" or Terminated { ActorRef.Path.Name: "0" }))
            {
                strange.Add(message);   // children that are stopped for a fresh handler are not told of
            }
        }

        public void Dispose() => disposed.Count++;
    }

    private sealed class Child : ReceiveActor
    {
        private readonly Counter _live;

        public Child(Counter live)
        {
            _live = live;
            live.Count++;
            Receive<string>(text => Sender.Tell(text == "boom" ? throw new InvalidOperationException(text) : text));
        }

        protected override void PostStop() => _live.Count--;
    }
}

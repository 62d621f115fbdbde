using System.Text;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>What a session has said is sent before its end is told: from then on another may speak.</summary>
public sealed class IdentityEndTests : IDisposable
{
    private readonly RouterTestKit _kit = new(seed: 1)
    {
        Limits = new ListenerLimits { Identity = "identity = endpoint" },
    };

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void A_reply_of_the_pass_in_which_a_session_is_superseded_leaves_before_its_end_is_told()
    {
        var hub = new RecordingHub((ExtendedActorSystem)_kit.Sys);
        _kit.Hub = hub;
        var listener = _kit.BindUdp(static () => new SayingHandler());
        var peer = _kit.UdpPeer("192.0.2.1:5000", listener);
        hub.OnEnd = () => hub.SentAtEnd.Add(listener.PayloadsSent - listener.Shards.OfType<DatagramShard>()
            .Sum(static shard => shard.Queue.Count));
        peer.Send("hello"u8);
        _kit.RunUntilIdle();

        var session = _kit.SessionOf(peer.EndPoint);
        session.Self.Tell("last words", ActorRefs.NoSender);
        session.Self.Tell(new IdentitySuperseded("another"), ActorRefs.NoSender);
        _kit.RunUntilIdle();

        Assert.Equal(["last words"], peer.ReceivedText);
        Assert.Equal([1], hub.SentAtEnd);
    }

    private sealed class SayingHandler : SessionHandler
    {
        public override void OnMessage(SessionContext session, object message) =>
            session.Reply(Encoding.UTF8.GetBytes($"{message}"));
    }

    /// <summary>Hears what it is told while that is being told.</summary>
    private sealed class RecordingHub(ExtendedActorSystem system) : MinimalActorRef
    {
        public List<long> SentAtEnd { get; } = [];

        public Action? OnEnd { get; set; }

        public override ActorPath Path { get; } = system.Provider.RootPath / "hub";

        public override IActorRefProvider Provider => system.Provider;

        protected override void TellInternal(object message, IActorRef sender)
        {
            switch (message)
            {
                case AttachSession attach:
                    attach.Session.Tell(new IdentityAttached(1, 0, default), ActorRefs.NoSender);
                    break;
                case EndSession:
                    OnEnd?.Invoke();
                    break;
                default:
                    break;
            }
        }
    }
}

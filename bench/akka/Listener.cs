using System.Net;
using Akka.Actor;
using Akka.IO;

namespace AkkaEcho;

/// <summary>Owns the socket and tells each peer's actor what it sent.</summary>
internal sealed class Listener(IPEndPoint endPoint) : UntypedActor
{
    /// <summary>What the other servers of the comparison ask for.</summary>
    private const int BufferBytes = 4 * 1024 * 1024;

    private readonly Dictionary<EndPoint, IActorRef> _sessions = [];
    private Props _session = Props.Empty;

    protected override void PreStart() => Udp.Instance.Apply(Context.System).Manager.Tell(
        new Udp.Bind(
            Self,
            endPoint,
            [new Inet.SO.ReceiveBufferSize(BufferBytes), new Inet.SO.SendBufferSize(BufferBytes)]));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Udp.Received received:
                if (!_sessions.TryGetValue(received.Sender, out var session))
                {
                    session = Context.ActorOf(_session);
                    _sessions.Add(received.Sender, session);
                }

                session.Tell(received);
                break;
            case Udp.Bound:
                var socket = Sender;
                _session = Props.Create(() => new Session(socket));
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}

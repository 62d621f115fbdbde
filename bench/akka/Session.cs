using Akka.Actor;
using Akka.IO;

namespace AkkaEcho;

/// <summary>Sends its peer back what it sent.</summary>
internal sealed class Session(IActorRef socket) : UntypedActor
{
    protected override void OnReceive(object message)
    {
        if (message is Udp.Received received)
        {
            socket.Tell(Udp.Send.Create(received.Data, received.Sender));
        }
    }
}

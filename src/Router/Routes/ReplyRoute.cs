using Router.Sessions;

namespace Router.Routes;

/// <summary>Answers every payload with the same bytes.</summary>
/// <param name="name">As configured.</param>
/// <param name="bytes">The answer, at most 65,507 bytes; the route keeps it.</param>
public sealed class ReplyRoute(string name, byte[] bytes) : Route(name)
{
    private readonly Handler _shared = new(bytes);   // keeps nothing per session

    internal override bool AnswersByItself => true;

    internal override SessionHandler CreateHandler(SessionContext session) => _shared;

    private sealed class Handler(byte[] bytes) : SessionHandler
    {
        public override bool IsRestartSafe => true;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                session.Reply(bytes);
            }
        }

        internal override bool MayEndNow(SessionContext session) => session.Transport == SessionTransport.Udp;
    }
}

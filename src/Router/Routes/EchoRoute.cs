using Router.Sessions;

namespace Router.Routes;

/// <summary>Sends every payload back to its peer.</summary>
public sealed class EchoRoute(string name) : Route(name)
{
    private static readonly Handler Shared = new();   // keeps nothing per session

    internal override bool AnswersByItself => true;

    internal override bool LetsGoOf(SessionContext session) => true;

    internal override SessionHandler CreateHandler(SessionContext session) => Shared;

    private sealed class Handler : SessionHandler
    {
        public override bool IsRestartSafe => true;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Reply(payload);
            }
        }

        internal override bool MayEndNow(SessionContext session) => session.Transport.KeepsMessages();
    }
}

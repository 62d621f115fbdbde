using Router.Sessions;

namespace Router.Routes;

/// <summary>Sends every payload back to its peer.</summary>
internal sealed class EchoRoute(string name) : Route(name)
{
    /// <summary>Keeps nothing per session. As old as the route: a young object that all sessions refer to would cost
    /// the next young collections a look at each.</summary>
    private readonly Handler _shared = new();

    internal override bool AnswersByItself => true;

    internal override bool LetsGoOf(SessionContext session) => true;

    internal override SessionHandler CreateHandler(SessionContext session) => _shared;

    private sealed class Handler : SessionHandler
    {
        public override bool IsRestartSafe => true;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.ReplyOnLoop(payload);
            }
        }

        internal override bool MayEndNow(SessionContext session) => session.HasNothingUnderWay();
    }
}

using Router.Sessions;

namespace Router.Tests.Functional;

/// <summary>Echoes, but fails on every payload that says so. Named in a configuration, made by the router.</summary>
public sealed class CrashingHandler : SessionHandler
{
    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (payload.SequenceEqual("crash"u8))
            {
                throw new InvalidOperationException("the payload asked for it");
            }

            session.Reply(payload);
        }
    }
}

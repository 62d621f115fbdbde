using Router.Sessions;

namespace Router.Benchmarks;

/// <summary>Echoes, after 10 us of processor time for each payload. Named by bench/overload.conf.</summary>
public sealed class BurningHandler : SessionHandler
{
    private static readonly TimeSpan Burn = TimeSpan.FromMicroseconds(10);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            var start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < Burn)
            {
            }

            session.Reply(payload);
        }
    }
}

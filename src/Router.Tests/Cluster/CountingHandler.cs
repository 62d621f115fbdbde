using System.Globalization;
using System.Text;
using Router.Sessions;

namespace Router.Tests.Cluster;

/// <summary>Counts its peer's payloads, across sessions: answers each with the count and the epoch. What is told to it
/// is passed on to the peer.</summary>
public sealed class CountingHandler : SessionHandler
{
    private long _count;

    public override void OnOpened(SessionContext session) => session.MarkPeerValidated();   // told unasked

    public override void OnResumed(SessionContext session, ReadOnlySpan<byte> checkpoint) =>
        _count = long.Parse(checkpoint, CultureInfo.InvariantCulture);

    /// <summary>Answers too early, whoever it is.</summary>
    public override bool OnProof(SessionContext session, string identity, ReadOnlySpan<byte> first)
    {
        session.Reply("too early"u8);
        return first.IndexOf("sesame"u8) >= 0;
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var _ in batch)
        {
            _count++;
            session.Checkpoint(Encoding.ASCII.GetBytes($"{_count}"));
            session.Reply(Encoding.ASCII.GetBytes($"{_count} {session.Epoch}"));
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        session.Reply(Encoding.UTF8.GetBytes($"told {message}"));
        session.Sender.Tell($"heard {message}");
    }
}

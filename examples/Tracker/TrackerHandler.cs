using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Router.Sessions;

namespace Tracker;

/// <summary>Counts the reports of one device, whichever member of the cluster they come to, and answers each with the
/// count. What the backend tells the device's identity is sent to it as a command. One instance per session.</summary>
/// <remarks>With <c>checkpoint-sync = on</c> no device is told a count that could be forgotten: the answer waits until
/// the count is kept.</remarks>
public sealed class TrackerHandler : SessionHandler
{
    private long _reports;

    /// <summary>A device is told commands that answer no report. That is for a network in which nobody else can send
    /// from its address, such as a mobile operator's own for such devices; anywhere else it must prove first that it
    /// receives what is sent there.</summary>
    public override void OnOpened(SessionContext session) => session.MarkPeerValidated();

    /// <summary>A session before this one, here or at another member, has kept its count.</summary>
    public override void OnResumed(SessionContext session, ReadOnlySpan<byte> checkpoint) =>
        _reports = BinaryPrimitives.ReadInt64BigEndian(checkpoint);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        Span<byte> kept = stackalloc byte[sizeof(long)];
        foreach (var _ in batch)
        {
            _reports++;
            BinaryPrimitives.WriteInt64BigEndian(kept, _reports);
            session.Checkpoint(kept);
            session.Reply(Encoding.ASCII.GetBytes(_reports.ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>A command is delivered at most once: a device that must not miss one says so in its next report.
    /// </summary>
    public override void OnMessage(SessionContext session, object message)
    {
        if (message is string command)
        {
            session.Reply(Encoding.UTF8.GetBytes($"do {command}"));
        }
    }
}

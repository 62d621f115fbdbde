using System.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A UDP session that belongs to a control session. Any thread.</summary>
public sealed class Flow
{
    private const int ReplyBytesMax = 1 << 20;

    private int _replyBytes;   // on their way to its loop

    internal Flow(FlowGroup group, SessionContext session)
    {
        Group = group;
        Session = session;
        Id = session.Id;
    }

    /// <summary>Of the flow's session, as in its access record.</summary>
    public SessionId Id { get; }

    /// <summary>The flow's peer; allocates.</summary>
    public IPEndPoint PeerEndPoint => Session.PeerEndPoint;

    /// <summary>It has ended, or is about to.</summary>
    public bool IsClosed => Session.IsClosed;

    internal FlowGroup Group { get; }

    internal SessionContext Session { get; }

    /// <summary>Sends one datagram to the flow's peer. The bytes are copied.</summary>
    /// <returns>False if it was not taken: the flow has ended, the datagram is too long, or more than 1 MiB is on its
    /// way to the flow's loop.</returns>
    public bool Reply(ReadOnlySpan<byte> payload)
    {
        if (Session.Loop.IsCurrent)
        {
            return Session.ReplyOnLoop(payload);
        }

        if (IsClosed || payload.Length > Session.PeerAddr.DatagramBytesMax)
        {
            return false;
        }

        var cost = payload.Length + FlowPayload.OverheadBytes;
        if (Interlocked.Add(ref _replyBytes, cost) > ReplyBytesMax)
        {
            Interlocked.Add(ref _replyBytes, -cost);
            return false;
        }

        Session.Loop.Enqueue(new ReplyStep(this, payload.ToArray()));
        return true;
    }

    /// <summary>Ends the flow; the control session goes on, unless it was the last and it ends with it.</summary>
    public void Close() => Session.Self.Tell(EndFlow.Instance, ActorRefs.NoSender);

    private sealed class ReplyStep(Flow flow, byte[] payload) : IRunnable
    {
        public void Run()
        {
            Interlocked.Add(ref flow._replyBytes, -payload.Length - FlowPayload.OverheadBytes);
            flow.Session.ReplyOnLoop(payload);
        }

        public void Execute() => Run();
    }
}

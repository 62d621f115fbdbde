using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>What a session's peer has sent before there is a handler for it, within the session's mailbox limits.
/// </summary>
/// <remarks>In the session's turns only. A session that ends meanwhile counts it as dropped.</remarks>
internal sealed class WaitingPayloads
{
    private readonly Queue<(byte[] Bytes, int Length)> _payloads = [];

    public int Count => _payloads.Count;

    /// <summary>Has a payload wait; one for which there is no room is a counted drop. Of a stream all waits: it is not
    /// read meanwhile, so it is no more than was read already, and without a part the rest would be garbage.</summary>
    public void Add(SessionContext session, ReadOnlySpan<byte> payload)
    {
        if (!session.KeepsMessages)
        {
            session.Extras.Enter(1, payload.Length);
        }
        else if (!session.TryEnter(1, payload.Length))
        {
            session.CountDrop(DropReason.MailboxFull);
            return;
        }

        var bytes = session.Loop.Buffers.Rent(payload.Length);
        payload.CopyTo(bytes);
        _payloads.Enqueue((bytes, payload.Length));
    }

    /// <summary>Whether a payload is the same as the first that waits.</summary>
    public bool IsFirst(ReadOnlySpan<byte> payload) =>
        _payloads.TryPeek(out var first) && payload.SequenceEqual(first.Bytes.AsSpan(0, first.Length));

    /// <summary>Gives the session's handler what has waited. What it fails on is gone; the rest waits for the fresh
    /// one.</summary>
    public void GiveTo(SessionContext session)
    {
        while (_payloads.TryDequeue(out var payload))
        {
            session.Leave(1, payload.Length);
            try
            {
                if (session.IsClosed)
                {
                    session.CountDrop(DropReason.SessionClosed);
                    continue;
                }

                session.Handler!.OnReceived(session, new PayloadBatch(payload.Bytes.AsSpan(0, payload.Length)));
            }
            catch
            {
                session.CountDrop(DropReason.HandlerFailed);
                throw;
            }
            finally
            {
                session.Loop.Buffers.Return(payload.Bytes);
            }
        }
    }
}

using System.Runtime.InteropServices;
using Router.Admission;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One UDP session of an exec route: a datagram of the peer is one message that the child reads, and a message
/// it writes is one datagram.</summary>
/// <remarks>
/// The child is started by the first payload of a validated peer. Its channel holds what it has not read yet; beyond
/// that datagrams are counted drops. After a restart it is the next datagram that has the fresh child started. When the
/// restart budget is spent the session stays, and drops, until the window is over: closed at once, it would begin anew
/// with the peer's next datagram, with a budget as fresh.
/// </remarks>
internal sealed unsafe class ExecDatagramHandler(ExecRoute route) : SessionHandler
{
    /// <summary>Messages of the child taken in one turn; what is left is reported again by the loop's next
    /// poll.</summary>
    private const int MessagesPerTurn = 16;

    private PeerValidator? _validator;   // until the peer is validated
    private ExecChild? _child;
    private ConnectedDatagramSocket? _channel;
    private ExecRestarts _restarts;
    private bool _hasStarted;
    private bool _isSpent;               // no child may follow until the restart window is over
    private bool _hasEnded;              // nobody holds the other end of the channel

    public override void OnOpened(SessionContext session)
    {
        var rule = route.Settings.Validation;
        if (rule.Trusts(session.PeerAddr))
        {
            session.MarkPeerValidated();
        }
        else
        {
            _validator = new PeerValidator(rule);
            session.SetTimer(rule.Timeout);
        }
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (session.IsClosed)
            {
                session.CountDrop(DropReason.SessionClosed);
            }
            else if (_validator is { } validator)
            {
                Validate(session, validator, payload);
            }
            else if (payload.IsEmpty)
            {
                session.CountDrop(DropReason.Empty);
            }
            else
            {
                Pass(session, payload);
            }
        }
    }

    public override void OnTimer(SessionContext session)
    {
        if (_validator is not null)
        {
            session.Close(CloseReason.Unvalidated);
        }
        else if (_isSpent)
        {
            session.Close(CloseReason.Failed);
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is ChildEnded ended && ReferenceEquals(ended.Child, _child))
        {
            FinishIfOver(session);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason) => Leave();

    internal override void OnReplaced(SessionContext session) => Leave();

    internal override bool MayEndNow(SessionContext session) => _child is null || session.IsQuiet();

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed || !ReferenceEquals(socket, _channel))
        {
            return;
        }

        for (var i = 0; i < MessagesPerTurn && Receive(session); i++)
        {
        }

        FinishIfOver(session);
    }

    private void Validate(SessionContext session, PeerValidator validator, ReadOnlySpan<byte> payload)
    {
        switch (validator.Judge(payload, out var proofBytes))
        {
            case PeerVerdict.Accepted:
                _validator = null;
                session.CancelTimer();
                session.MarkPeerValidated();
                if (Start(session) && payload.Length > proofBytes)
                {
                    Pass(session, payload[proofBytes..]);
                }

                break;
            case PeerVerdict.Challenged:
                session.Reply(validator.Challenge);
                break;
            default:
                session.CountDrop(DropReason.Unvalidated);
                break;
        }
    }

    private void Pass(SessionContext session, ReadOnlySpan<byte> payload)
    {
        if (_isSpent)
        {
            session.CountDrop(DropReason.ChildGone);
            return;
        }

        if (_child is null && !Start(session))
        {
            return;
        }

        fixed (byte* bytes = &MemoryMarshal.GetReference(payload))
        {
            var result = _channel!.Send(bytes, payload.Length);
            if (result < 0)
            {
                var isFull = SocketErrors.Classify((Errno)(-result))
                    is SocketErrorClass.Transient or SocketErrorClass.Exhausted;
                session.CountDrop(isFull ? DropReason.SendFull : DropReason.ChildGone);
            }
        }
    }

    /// <summary>A first child, or one that follows another.</summary>
    private bool Start(SessionContext session)
    {
        if (_hasStarted && !_restarts.TryTake(session))
        {
            _isSpent = true;
            session.CountDrop(DropReason.ChildGone);
            session.SetTimer(_restarts.UntilOver(session));
            return false;
        }

        _hasStarted = true;
        var refused = ExecChild.Start(session, route, out _child);
        _channel = _child?.Packets;
        if (refused is null && session.Watch(_channel!, IoReadiness.Readable) < 0)
        {
            refused = DropReason.NoResources;
        }

        if (refused is { } reason)
        {
            session.CountDrop(reason);
            session.Close(CloseReason.UpstreamFailed);
            return false;
        }

        _hasEnded = false;
        return true;
    }

    /// <returns>Whether there may be more, so that asking again is worth a call.</returns>
    private bool Receive(SessionContext session)
    {
        var room = session.Datagrams.Reserve(DatagramBatch.SlotBytes);
        var received = _channel!.Receive(room, DatagramBatch.SlotBytes);
        if (received > session.PeerAddr.DatagramBytesMax || received == -(int)Errno.EMSGSIZE)
        {
            session.CountDrop(DropReason.TooLong);
            return true;
        }

        if (received >= 0)
        {
            session.Datagrams.Commit(session, received);
            return true;
        }

        if (received == -(int)Errno.EPIPE)
        {
            _hasEnded = true;
            session.Loop.TakeOff(_channel);   // a hang-up, and would be one on every pass
        }

        // A reset tells that the child closed without having read all; what it wrote may still be there.
        return received == -(int)Errno.ECONNRESET;
    }

    /// <summary>Once the child has ended, and everything it wrote has been read.</summary>
    private void FinishIfOver(SessionContext session)
    {
        if (session.IsClosed || _child is not { Exit: { } exit } child)
        {
            return;
        }

        if (child.HasFailedToStart)
        {
            session.CountDrop(DropReason.ChildGone);
            session.Close(CloseReason.UpstreamFailed);
        }
        else if (_hasEnded)
        {
            Leave();
            if (!ExecRestarts.Wanted(route.Settings.Restart, exit))
            {
                session.Close(exit.IsSuccess ? CloseReason.Upstream : CloseReason.ChildFailed);
            }
        }
    }

    private void Leave()
    {
        _channel?.Dispose();
        _channel = null;
        _child?.End();
        _child = null;
    }
}

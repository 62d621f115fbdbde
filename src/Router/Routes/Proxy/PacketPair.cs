using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// A client's connection that keeps messages apart (unixpacket), and a socket of messages on the other side: a
/// connection of the same kind, or one to a unixgram or UDP upstream. Messages pass whole, empty ones too. Loop thread
/// only.
/// </summary>
/// <remarks>
/// Each direction by itself: a message that the other side does not take now is kept, and its side is not read until it
/// has gone; so one message is held towards the upstream, and what one turn reads towards the client. The end of one
/// connection is passed on to the other; an upstream without connection knows no end, and the session goes on until its
/// client is gone for good.
/// </remarks>
internal sealed unsafe class PacketPair : ConnectionPair
{
    /// <summary>Messages of one side in one turn; what is left is reported again by the loop's next poll.</summary>
    private const int MessagesPerTurn = 16;

    private readonly PacketCarrier _client;
    private readonly ConnectedDatagramSocket _upstream;
    private readonly Action<int> _onRefused;
    private byte[]? _kept;
    private int _keptLength;
    private bool _isClientOff;      // off the loop: the kernel reports its hang-up on every pass
    private bool _isUpstreamOff;
    private bool _hasUpstreamEnded;

    /// <param name="session">Whose connection is the client's; watched by the pair from now on.</param>
    /// <param name="upstream">Connected and watched; the pair owns it.</param>
    /// <param name="onRefused">Told, with a negative errno, of what the upstream refused.</param>
    public PacketPair(SessionContext session, ConnectedDatagramSocket upstream, Action<int> onRefused)
        : base(session)
    {
        _client = session.Packets!;
        _upstream = upstream;
        _onRefused = onRefused;
    }

    public override bool HoldsUpstream => _client.Output.HasUnsent;

    public override bool HoldsClient => _kept is not null;

    public override bool ClientHasEnded => _client.PeerFinished;

    public override bool UpstreamHasEnded => _hasUpstreamEnded;

    /// <summary>Whether the session goes on when the upstream has ended: whoever made the pair ends it.</summary>
    public bool SurvivesUpstream { get; init; }

    /// <summary>Whether empty messages are dropped: a child process takes one for the end.</summary>
    public bool DropsEmpty { get; init; }

    private bool MayReadClient => !Session.IsClosed && !_client.PeerFinished && _kept is null;

    private bool MayReadUpstream => !Session.IsClosed && !UpstreamHasEnded && !_client.Output.HasUnsent;

    public override void OnReady(IoSocket socket, IoReadiness ready)
    {
        if (ReferenceEquals(socket, _client.Socket))
        {
            OnClientReady(ready);
        }
        else
        {
            OnUpstreamReady(ready);
        }

        if (!Session.IsClosed)
        {
            Watch();
        }
    }

    public override void CloseUpstream(CloseReason reason)
    {
        ReleaseKept();
        KernelDrops.CountAndClose(Session, _upstream);
    }

    private void OnClientReady(IoReadiness ready)
    {
        if (_client.Output.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0
            && !FlushClient())
        {
            return;
        }

        for (var i = 0; i < MessagesPerTurn && MayReadClient && ReadClient(); i++)
        {
        }

        if ((ready & IoReadiness.Failed) == 0 || Session.IsClosed)
        {
            return;
        }

        if (_client.PeerFinished)
        {
            Session.CloseNow(CloseReason.Peer);   // gone for good: nobody hears an answer
        }
        else if (_kept is not null)
        {
            _isClientOff = true;
            Session.Loop.TakeOff(_client.Socket);   // until the upstream has taken what is kept
        }
    }

    private void OnUpstreamReady(IoReadiness ready)
    {
        if (_kept is not null && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            FlushUpstream();
        }

        for (var i = 0; i < MessagesPerTurn && MayReadUpstream && ReadUpstream(); i++)
        {
        }

        if ((ready & IoReadiness.Failed) == 0 || Session.IsClosed || !_upstream.IsConnection)
        {
            return;
        }

        if (UpstreamHasEnded || _client.Output.HasUnsent)
        {
            _isUpstreamOff = true;
            Session.Loop.TakeOff(_upstream);
            CloseIfUpstreamIsGone();
        }
    }

    /// <returns>Whether there may be more.</returns>
    private bool ReadClient()
    {
        var received = _client.Socket.Receive(Session.Loop.ReadBuffer, DatagramBatch.SlotBytes);
        if (received >= 0)
        {
            Session.CountReceived(1, received);
            Session.Traced?.Received(new ReadOnlySpan<byte>(Session.Loop.ReadBuffer, received));
            if (received == 0 && DropsEmpty)
            {
                Session.CountDrop(DropReason.Empty);
            }
            else
            {
                PassToUpstream(received);
            }

            return true;
        }

        switch ((Errno)(-received))
        {
            case Errno.EMSGSIZE:
                Session.CountDrop(DropReason.Truncated);
                return true;
            case Errno.ECONNRESET:
                return true;   // it has closed without reading all; what it sent before is still there
            case Errno.EPIPE:
                OnClientEnded();
                return false;
            case Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM or Errno.ENOBUFS:
                return false;
            default:
                Session.CloseNow(CloseReason.Reset);
                return false;
        }
    }

    private void OnClientEnded()
    {
        _client.PeerFinished = true;
        _upstream.ShutdownWrite();
        if (UpstreamHasEnded && !SurvivesUpstream && !_client.Output.HasUnsent)
        {
            Session.CloseNow(CloseReason.Upstream);   // which ended first
        }
    }

    private void PassToUpstream(int length)
    {
        PassedToUpstream = true;
        var bytes = Session.Loop.ReadBuffer;
        var result = _upstream.Send(bytes, length);
        if (result == -(int)Errno.ECONNREFUSED && !_upstream.IsConnection)
        {
            _onRefused(result);
            result = Session.IsClosed ? result : _upstream.Send(bytes, length);   // it told of an earlier message
        }

        if (result >= 0 || Session.IsClosed)
        {
            return;
        }

        if (IsBusy(result))
        {
            _kept = Session.Loop.Buffers.Rent(Math.Max(1, length));
            new ReadOnlySpan<byte>(bytes, length).CopyTo(_kept);
            _keptLength = length;
            return;
        }

        Refuse(result);
    }

    private void FlushUpstream()
    {
        int result;
        fixed (byte* bytes = _kept)
        {
            result = _upstream.Send(bytes, _keptLength);
        }

        if (result < 0 && IsBusy(result))
        {
            return;
        }

        ReleaseKept();
        if (result < 0)
        {
            Refuse(result);
        }

        Session.Touch();
    }

    /// <summary>A message that the upstream does not take, now or later.</summary>
    private void Refuse(int result)
    {
        if (result == -(int)Errno.EMSGSIZE)
        {
            Session.CountDrop(DropReason.TooLong);
            return;
        }

        Session.CountDrop(SurvivesUpstream ? DropReason.ChildGone : DropReason.UpstreamRefused);
        if (!SurvivesUpstream)
        {
            _onRefused(result);
        }

        if (_upstream.IsConnection && !SurvivesUpstream && !Session.IsClosed)
        {
            // What it said before it broke is still passed on.
            for (var i = 0; i < MessagesPerTurn && MayReadUpstream && ReadUpstream(); i++)
            {
            }

            Session.CloseNow(UpstreamHasEnded ? CloseReason.Upstream : CloseReason.UpstreamFailed);
        }
    }

    /// <returns>Whether there may be more.</returns>
    private bool ReadUpstream()
    {
        var received = _upstream.Receive(Session.Loop.ReadBuffer, DatagramBatch.SlotBytes);
        if (received >= 0)
        {
            FromUpstream++;
            KernelDrops.CountNowAndThen(Session, _upstream, FromUpstream - 1, FromUpstream);
            PassedToUpstream = false;
            return !_client.Output.IsFinished && _client.Write(Session.Loop.ReadBuffer, received);
        }

        switch ((Errno)(-received))
        {
            case Errno.EMSGSIZE:
                Session.CountDrop(DropReason.TooLong);
                return true;
            case Errno.ECONNRESET when _upstream.IsConnection:
                return true;
            case Errno.EPIPE when _upstream.IsConnection:
                OnUpstreamEnded();
                return false;
            case Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM or Errno.ENOBUFS:
                return false;
            default:
                Session.CountDrop(DropReason.UpstreamRefused);   // an ICMP error of an earlier message
                _onRefused(received);
                return !Session.IsClosed;
        }
    }

    private void OnUpstreamEnded()
    {
        _hasUpstreamEnded = true;
        if (SurvivesUpstream)
        {
            return;
        }

        _client.Output.Finish();
        if (_client.IsOver)
        {
            Session.CloseNow(CloseReason.Peer);
        }
    }

    private bool FlushClient()
    {
        if (Session.EndIsolated())
        {
            return false;
        }

        if (_client.Output.Flush() < 0)
        {
            Session.CloseNow(CloseReason.Reset);
            return false;
        }

        Session.Touch();   // a slow reader is no idle one
        if (_isUpstreamOff && !_client.Output.HasUnsent && !CloseIfUpstreamIsGone() && !UpstreamHasEnded)
        {
            _isUpstreamOff = false;
            if (Session.Watch(_upstream, IoReadiness.Readable) < 0)
            {
                Session.CloseNow(CloseReason.UpstreamFailed);
            }
        }

        return !Session.IsClosed;
    }

    /// <summary>It has hung up: nothing can be sent to it any more.</summary>
    private bool CloseIfUpstreamIsGone()
    {
        var isGone = UpstreamHasEnded && !SurvivesUpstream && !_client.Output.HasUnsent;
        if (isGone)
        {
            Session.CloseNow(_client.PeerFinished ? CloseReason.Peer : CloseReason.Upstream);
        }

        return isGone;
    }

    private void Watch()
    {
        var loop = Session.Loop;
        if (_isClientOff && _kept is null)
        {
            _isClientOff = false;
            if (Session.Watch(_client.Socket, IoReadiness.Readable) < 0)
            {
                Session.CloseNow(CloseReason.Reset);
                return;
            }
        }

        var toClient = _client.Output.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        loop.SetInterest(_client.Socket, MayReadClient ? toClient | IoReadiness.Readable : toClient);
        var toUpstream = _kept is not null ? IoReadiness.Writable : IoReadiness.None;
        loop.SetInterest(_upstream, MayReadUpstream ? toUpstream | IoReadiness.Readable : toUpstream);
    }

    private void ReleaseKept()
    {
        if (_kept is { } kept)
        {
            _kept = null;
            Session.Loop.Buffers.Return(kept);
        }
    }

    private static bool IsBusy(int result) =>
        (Errno)(-result) is Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM;
}

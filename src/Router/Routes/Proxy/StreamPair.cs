using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// Two connected streams, passed into each other: small messages copied through the loop's read buffer, bulk through a
/// pipe.
/// </summary>
/// <remarks>
/// Each direction by itself: what is read from one side is sent to the other at once; while a rest of it is unsent that
/// side is not read, so that at most one read's worth, or a pipe's, is held per direction. FIN is passed on after what
/// is unsent, and the other direction goes on. Interest is changed only when a side blocks or drains.
/// </remarks>
internal unsafe class StreamPair : ConnectionPair
{
    /// <summary>
    /// The least that is read at once: bulk moves at a call per 64 KiB also where the write buffer is set small.
    /// </summary>
    private const int ReadBytesMin = 64 * 1024;

    /// <summary>
    /// Reads in a row that fill half of the buffer or more, after which a direction moves bulk: it goes through a pipe
    /// from then on.
    /// </summary>
    private const int LargeReadsMin = 4;

    /// <summary>
    /// Below so many bytes a copy costs less than what splice(2) does about a pipe; and how many such in a row end it.
    /// </summary>
    private const int SmallFillBytes = 16 * 1024, SmallFillsMax = 16;

    /// <summary>Large reads until a pipe is asked for again, when there was none.</summary>
    private const int ReadsWithoutPipe = 256;

    /// <summary>Reads of one side in one turn after it has failed: its last bytes, and then its error.</summary>
    private const int RestReadsMax = 256;

    private readonly StreamSide _client;
    private readonly StreamSide _upstream;
    private readonly int _readBytes;
    private CloseReason _firstEnd;

    /// <param name="session">Whose stream is the client's.</param>
    /// <param name="upstream">Connected; the pair owns it.</param>
    public StreamPair(SessionContext session, StreamSocket upstream)
        : base(session)
    {
        _client = session.Stream!;
        _client.HasEnded = false;   // where it has, reading tells so again: another child has to hear of it
        _upstream = new StreamSide(upstream, session.Loop.Buffers);
        _readBytes = Math.Min(session.Loop.ReadBufferBytes, Math.Max(session.Shard.Settings.WriteBuffer, ReadBytesMin));
    }

    public sealed override bool ClientHasEnded => _client.HasEnded;

    public sealed override bool UpstreamHasEnded => _upstream.HasEnded;

    public sealed override bool HoldsUpstream => _client.HasUnsent;

    public sealed override bool HoldsClient => _upstream.HasUnsent;

    public sealed override void OnReady(IoSocket socket, IoReadiness ready)
    {
        var side = ReferenceEquals(socket, _client.Socket) ? _client : _upstream;
        if ((ready & IoReadiness.Failed) != 0)
        {
            OnFailed(side);
            return;
        }

        if ((ready & IoReadiness.Writable) != 0 && side.HasUnsent)
        {
            Flush(side);
        }

        if ((ready & IoReadiness.Readable) != 0 && !Session.IsClosed && MayRead(side))
        {
            Read(side);
        }
    }

    public sealed override void CloseUpstream(CloseReason reason)
    {
        var isLimit = reason is CloseReason.Lifetime or CloseReason.PeerIdle;
        var isCut = _upstream.HasUnsent || (isLimit && !_client.HasEnded);
        if (isLimit && !_upstream.HasEnded)
        {
            _client.Socket.Abort();   // an end in order would make what has arrived look whole
        }

        _upstream.Release();
        if (isCut || reason.IsAbort())
        {
            _upstream.Socket.Abort();
        }

        _upstream.Socket.Dispose();
    }

    /// <summary>The upstream's FIN has been read: whether the client is told so now.</summary>
    protected virtual bool PassesUpstreamEnd => true;

    /// <summary>
    /// Whether the session goes on when the upstream takes no more or both sides have ended: what it has said is still
    /// passed on, what is said to it is discarded, and whoever made the pair ends the Session.
    /// </summary>
    protected virtual bool SurvivesUpstream => false;

    /// <summary>Whether bulk may go through a pipe: both streams are non-blocking by themselves, as splice(2) knows no
    /// MSG_DONTWAIT.</summary>
    protected virtual bool MaySplice => true;

    private bool IsDone => !SurvivesUpstream && _client.IsOver && _upstream.IsOver;

    private StreamSide Other(StreamSide side) => ReferenceEquals(side, _client) ? _upstream : _client;

    private bool MayRead(StreamSide side) => !side.HasEnded && !Other(side).HasUnsent;

    /// <summary>Moves what one read gives to the other side.</summary>
    /// <returns>Whether anything was moved, so that there may be more.</returns>
    private bool Read(StreamSide from)
    {
        var received = Take(from);
        if (received > 0)
        {
            return Pass(from, received);
        }

        if (received == 0)
        {
            End(from);
        }
        else if (SocketErrors.Classify((Errno)(-received))
            is not (SocketErrorClass.Transient or SocketErrorClass.Exhausted))
        {
            if (SurvivesUpstream && ReferenceEquals(from, _upstream))
            {
                End(from);   // a unix socket's reset: it closed without reading all
            }
            else
            {
                Break(from);
            }
        }

        return false;
    }

    /// <summary>
    /// Takes what the side has: into the pipe where the direction goes through one, else into the read buffer.
    /// </summary>
    /// <returns>As <see cref="StreamSocket.Receive"/>.</returns>
    private int Take(StreamSide from)
    {
        var output = Other(from);
        if (from.Streak >= (output.HasPipe ? SmallFillsMax : LargeReadsMin))
        {
            Switch(from, output);
        }

        if (output.HasPipe)
        {
            var filled = output.Fill(from.Socket);
            if (filled > 0)
            {
                from.Streak = filled < SmallFillBytes ? from.Streak + 1 : 0;
                return filled;
            }

            output.LeavePipe();
            switch ((Errno)(-filled))
            {
                case Errno.Success or Errno.EAGAIN:
                    // recv(2) has to confirm it: splice(2) stops in front of an urgent byte, for good, and takes it for
                    // the end once a FIN has come.
                    break;
                case Errno.EINVAL or Errno.ENOMEM or Errno.ENOBUFS:
                    Session.Loop.Pipes.TurnOff();
                    break;
                default:
                    return filled;   // the stream's error, which it tells only once: recv(2) would read an end
            }
        }

        var received = from.Socket.Receive(Session.Loop.ReadBuffer, _readBytes);
        from.Streak = received * 2 >= _readBytes ? from.Streak + 1 : Math.Min(from.Streak, 0);
        return received;
    }

    /// <summary>From copying to a pipe, if there is one to be had, or back. Nothing is unsent.</summary>
    private void Switch(StreamSide from, StreamSide output)
    {
        from.Streak = 0;
        if (output.HasPipe)
        {
            output.LeavePipe();
        }
        else if (MaySplice && Session.Loop.Pipes.Take() is { } pipe)
        {
            output.UsePipe(pipe);
        }
        else
        {
            from.Streak = -ReadsWithoutPipe;
        }
    }

    /// <summary>What was read; nothing where it went by a pipe, which nobody has read.</summary>
    private unsafe ReadOnlySpan<byte> HeadOf(StreamSide to, int length) =>
        to.HasPipe ? default : new ReadOnlySpan<byte>(Session.Loop.ReadBuffer, length);

    private bool Pass(StreamSide from, int length)
    {
        var to = Other(from);
        if (ReferenceEquals(to, _client) && Session.EndIsolated())
        {
            return false;
        }

        if (ReferenceEquals(from, _client))
        {
            Session.CountReceived(1, length);
            Session.Traced?.Passed(TraceStep.Received, HeadOf(to, length), length);
            PassedToUpstream = true;
        }
        else
        {
            Session.CountSent(1, length);
            Session.Traced?.Passed(TraceStep.Sent, HeadOf(to, length), length);
            FromUpstream += length;
            PassedToUpstream = false;
        }

        var result = to.HasPipe ? to.Flush() : to.Write(Session.Loop.ReadBuffer, length);
        if (result < 0)
        {
            ReadRestAndBreak(to);
            return false;
        }

        if (to.HasUnsent)
        {
            Watch(from);
            return false;
        }

        return true;
    }

    /// <summary>The side has ended its stream: so does the other's, after what is unsent.</summary>
    private void End(StreamSide side)
    {
        side.HasEnded = true;
        if (_firstEnd == CloseReason.None)
        {
            _firstEnd = ReferenceEquals(side, _client) ? CloseReason.Peer : CloseReason.Upstream;
        }

        if (IsDone)
        {
            Session.CloseNow(_firstEnd);   // and closing sends the FIN
            return;
        }

        Watch(side);
        if (PassesUpstreamEnd || ReferenceEquals(side, _client))
        {
            Other(side).Finish();
        }
    }

    /// <summary>The side takes bytes again: sends what was kept for it, and has its source read on.</summary>
    private void Flush(StreamSide side)
    {
        if (ReferenceEquals(side, _client) && Session.EndIsolated())
        {
            return;
        }

        var unsent = side.UnsentBytes;
        if (side.Flush() < 0)
        {
            ReadRestAndBreak(side);
            return;
        }

        if (side.UnsentBytes != unsent)
        {
            Session.Touch();   // a slow reader is no idle one
        }

        if (side.HasUnsent)
        {
            return;
        }

        var source = Other(side);
        if (source.IsOff && !source.HasEnded)
        {
            PutBack(source);
        }
        else
        {
            Watch(source);
            CloseIfDone();
        }
    }

    /// <summary>
    /// The kernel reports a hang-up or an error, and would on every pass: takes what the side still has, then ends it.
    /// </summary>
    private void OnFailed(StreamSide side)
    {
        for (var i = 0; i < RestReadsMax && MayRead(side) && Read(side); i++)
        {
        }

        if (Session.IsClosed)
        {
            return;
        }

        if (side.HasUnsent)
        {
            Flush(side);     // tells of the error, if it is one
        }
        else if (!side.HasEnded && Other(side).HasUnsent)
        {
            TakeOff(side);   // until the other has taken what is unsent
        }
        else if (side.HasEnded && side is { IsFinished: true, HasUnsent: false })
        {
            TakeOff(side);   // over in both directions: a hang-up, and nothing to wait for
            CloseIfDone();
        }
        else if (side.HasEnded && ReferenceEquals(side, _client) && Session.PeerAddr.IsUnix)
        {
            TakeOff(side);   // closed in order, which a unix socket tells as a hang-up: what it said is still passed on
        }
        else if (side.HasEnded || side.Socket.ConnectResult() < 0)
        {
            Break(side);     // it sent FIN and then a reset: nothing can be sent to it any more
        }
    }

    /// <summary>
    /// Sending to the side failed: what it said before it broke still goes to the other, as when a server answers and
    /// closes without reading all.
    /// </summary>
    private void ReadRestAndBreak(StreamSide side)
    {
        var other = Other(side);
        for (var i = 0; i < RestReadsMax && MayRead(side); i++)
        {
            var received = side.Socket.Receive(Session.Loop.ReadBuffer, _readBytes);
            if (received <= 0 || other.IsFinished || other.Write(Session.Loop.ReadBuffer, received) < 0)
            {
                break;
            }

            if (ReferenceEquals(side, _client))
            {
                Session.CountReceived(1, received);
                Session.Traced?.Received(new ReadOnlySpan<byte>(Session.Loop.ReadBuffer, received));
            }
            else
            {
                Session.CountSent(1, received);
                Session.Traced?.Sent(new ReadOnlySpan<byte>(Session.Loop.ReadBuffer, received));
            }
        }

        Break(side);
    }

    /// <summary>
    /// A reset on one side resets the other; unless it is the upstream's, after it had ended in order: it only takes no
    /// more.
    /// </summary>
    private void Break(StreamSide side)
    {
        if (ReferenceEquals(side, _client))
        {
            Session.CloseNow(CloseReason.Reset);
        }
        else if (SurvivesUpstream)
        {
            BreakSurvived(side);
        }
        else
        {
            Session.CloseNow(side.HasEnded ? CloseReason.Upstream : CloseReason.UpstreamFailed);
        }
    }

    private void BreakSurvived(StreamSide side)
    {
        side.Release();
        if (side.HasEnded)
        {
            TakeOff(side);
        }

        Watch(_client);
    }

    private void CloseIfDone()
    {
        if (IsDone)
        {
            Session.CloseNow(_firstEnd);
        }
    }

    private void Watch(StreamSide side)
    {
        var interest = side.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        Session.Loop.SetInterest(side.Socket, MayRead(side) ? interest | IoReadiness.Readable : interest);
    }

    private void TakeOff(StreamSide side)
    {
        side.IsOff = true;
        Session.Loop.TakeOff(side.Socket);
    }

    private void PutBack(StreamSide side)
    {
        side.IsOff = false;
        if (Session.Watch(side.Socket, IoReadiness.Readable) < 0)
        {
            Break(side);
        }
    }
}

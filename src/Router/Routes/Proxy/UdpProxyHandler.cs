using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>One UDP session of a proxy: a connected socket to its upstream. Payloads are sent from the receive slots,
/// and replies are received into the listener's send queue: nothing is copied or allocated on the way.</summary>
/// <remarks>
/// A refusal (ICMP) before the upstream's first reply moves the session to the next upstream, with the datagram at
/// hand; when none is left it closes as upstream-failed. After the first reply a refusal is a counted drop and the
/// session stays: an upstream that restarts keeps its sessions.
/// </remarks>
internal unsafe class UdpProxyHandler(ProxyRoute route) : SessionHandler
{
    /// <summary>Replies taken in one turn; what is left is reported again by the loop's next poll.</summary>
    internal const int RepliesPerTurn = 16;

    /// <summary>Payloads handed to the socket at once.</summary>
    private const int RunMax = 64;

    private ConnectedDatagramSocket? _socket;
    private ProxyAttempts _attempts;
    private UpstreamSilence _silence;
    private ExpectedReplies _expected;
    private RemovedUpstreams? _removed;   // made when a reload first takes the session's upstream away
    private long _foreignSeen;   // of the socket's count
    private bool _hasReplied;    // the upstream
    private bool _isEnding;      // EndWhenAnswered is in the mailbox

    /// <summary>Every reply that is expected has come, of removed upstreams as well.</summary>
    private bool IsAnswered =>
        route.Settings.Responses > 0 && _hasReplied && _expected.Owed <= 0 && _removed is not { IsOwing: true };

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        if (batch.Count > 1)
        {
            PassAll(session, batch);
            return;
        }

        foreach (var payload in batch)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(payload))
            {
                Pass(session, bytes, payload.Length);
            }
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is not EndWhenAnswered)
        {
            return;
        }

        _isEnding = false;
        if (IsAnswered)
        {
            session.Close(CloseReason.Done);
        }
    }

    public override void OnTimer(SessionContext session)
    {
        if (_silence.OnTimer(session, route.UpstreamIdleMs))
        {
            _attempts.Mark(route, -(int)Errno.ETIMEDOUT);
            session.Close(CloseReason.UpstreamFailed);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason) => Release(session);

    internal override void OnReplaced(SessionContext session) => Release(session);

    internal sealed override SocketAddr UpstreamLocal => _attempts.Local;

    /// <summary>What was sent has been answered, or the upstream has been silent since for a moment: what came last may
    /// need no answer.</summary>
    internal override bool MayEndNow(SessionContext session) =>
        _removed is not { IsHeard: true }
        && (_expected.Unanswered <= 0 || _silence.LastsMs(session) >= SessionQuiet.QuietMs);

    internal override void OnRouteChanged(SessionContext session)
    {
        _silence.OnLimit(session, route.UpstreamIdleMs);
        if (_socket is not { } socket || !_attempts.HoldsRemoved(route))
        {
            return;
        }

        if (route.Settings.OnUpstreamRemoved == UpstreamRemoval.Close)
        {
            session.Close(CloseReason.UpstreamRemoved);
        }
        else if (route.Settings.OnUpstreamRemoved == UpstreamRemoval.RePick)
        {
            // The next datagram goes to another upstream; what this one has not answered yet still arrives.
            _removed ??= new RemovedUpstreams(session, EndIfAnswered);
            _removed.Add(socket, _expected);
            ForgetSocket(session);
            _attempts.StartOver();
        }
    }

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed)
        {
            return;
        }

        if (!ReferenceEquals(socket, _socket))
        {
            // Its replies end a session that has no other upstream yet.
            _hasReplied |= _removed?.Receive(socket) == true && _socket is null;
            EndIfAnswered(session);
            return;
        }

        for (var i = 0; i < RepliesPerTurn && Receive(session); i++)
        {
        }

        CountForeign(session);
        EndIfAnswered(session);
    }

    /// <summary>The session goes to this upstream and to no other; before its first payload is passed on.</summary>
    protected void Pin(Upstream upstream) => _attempts.Pin(upstream);

    /// <summary>Sends payloads to the upstream, those together that lie in the receive slots.</summary>
    private void PassAll(SessionContext session, PayloadBatch batch)
    {
        var slots = session.Datagrams.Batch;
        var run = stackalloc IoVector[RunMax];
        var count = 0;
        foreach (var payload in batch)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(payload))
            {
                // Beyond the fixed block only native memory stays where it is: a detached run's does not.
                if (slots.Holds(bytes))
                {
                    run[count++] = new IoVector { Base = bytes, Length = (nuint)payload.Length };
                }
                else
                {
                    Pass(session, bytes, payload.Length);
                }
            }

            if (count == RunMax)
            {
                PassRun(session, run, count);
                count = 0;
            }
        }

        PassRun(session, run, count);
    }

    private void PassRun(SessionContext session, IoVector* run, int count)
    {
        while (count > 0)
        {
            var sent = 1;
            if (session.IsClosed || _socket is null)
            {
                Pass(session, run->Base, (int)run->Length);
            }
            else
            {
                var result = _socket.SendRun(run, count);
                if (result > 0)
                {
                    sent = result;
                    OnSent(session, sent);
                }
                else
                {
                    Conclude(session, result, run->Base, (int)run->Length);
                }
            }

            run += sent;
            count -= sent;
        }
    }

    /// <summary>Sends one payload to the upstream.</summary>
    private void Pass(SessionContext session, byte* bytes, int length)
    {
        if (session.IsClosed)
        {
            session.CountDrop(DropReason.SessionClosed);
            return;
        }

        if (_socket is null)
        {
            _hasReplied = false;   // also after another was taken away
            if (Connect(session) is { } reason)
            {
                session.CountDrop(reason);
                session.Close(CloseReason.UpstreamFailed);
                return;
            }
        }

        Conclude(session, _socket!.Send(bytes, length), bytes, length);
    }

    /// <summary>Deals with what sending one payload has given.</summary>
    private void Conclude(SessionContext session, int result, byte* bytes, int length)
    {
        if (result < 0 && UpstreamDatagrams.IsRefusal(result))
        {
            result = SendAgain(session, result, bytes, length);
        }

        if (result >= 0)
        {
            OnSent(session, 1);
        }
        else
        {
            var reason = UpstreamDatagrams.DropReasonOf(result);
            session.CountDrop(reason);
            if (reason == DropReason.SendRefused)
            {
                _attempts.Report(route, result, SocketOperation.Send);
            }
        }
    }

    /// <summary>
    /// A refusal tells of an earlier datagram, and the one at hand has not been sent: once more, to the next upstream
    /// if there is one.
    /// </summary>
    private int SendAgain(SessionContext session, int refusal, byte* bytes, int length)
    {
        while (true)
        {
            var moved = OnRefused(session, refusal);
            if (_socket is null)
            {
                session.Close(CloseReason.UpstreamFailed);
                return -(int)Errno.ECONNREFUSED;
            }

            var result = _socket.Send(bytes, length);
            if (!moved || result >= 0 || !UpstreamDatagrams.IsRefusal(result))
            {
                return result;
            }

            refusal = result;
        }
    }

    private void OnSent(SessionContext session, int count)
    {
        _expected.OnSent(count, route.Settings.Responses);
        _silence.OnAsked(session, route.UpstreamIdleMs);
    }

    /// <summary>Receives one reply.</summary>
    /// <returns>Whether there may be more, so that asking again is worth a call.</returns>
    private bool Receive(SessionContext session)
    {
        var received = UpstreamDatagrams.Receive(session, _socket!);
        if (received >= 0)
        {
            _hasReplied = true;
            _expected.OnReceived(received);
            _silence.OnAnswered(session, isAll: _expected.Unanswered <= 0);
            return _expected.Unanswered > 0;
        }

        if (!UpstreamDatagrams.IsRefusal(received))
        {
            return false;   // nothing left, or no memory now
        }

        if (_socket!.IsConnection)
        {
            if (received == -(int)Errno.ECONNRESET)
            {
                return true;   // it closed without reading all; what it said before is still there
            }

            LeaveSocket(session);   // a unixpacket upstream has ended
            session.Close(CloseReason.Upstream);
            return false;
        }

        if (OnRefused(session, received))
        {
            return false;   // a fresh socket has nothing yet
        }

        if (!_hasReplied)
        {
            LeaveSocket(session);
            session.Close(CloseReason.UpstreamFailed);
        }

        return !session.IsClosed;
    }

    /// <summary>The upstream refused something sent earlier.</summary>
    /// <returns>Whether the session has another upstream now. If not, it keeps the one it has, and the refusal is
    /// counted; or has none.</returns>
    private bool OnRefused(SessionContext session, int refusal)
    {
        if (_hasReplied)
        {
            _attempts.Mark(route, refusal);
        }
        else
        {
            _attempts.Fail(route, refusal);
            if (Connect(session) is null)
            {
                return true;
            }
        }

        if (_socket is not null && _expected.Unanswered > 0)
        {
            session.CountDrop(DropReason.UpstreamRefused);
            _expected.Unanswered--;   // and is no answer: the upstream may be silent so for upstream-idle-timeout
        }

        return false;
    }

    /// <summary>Gives the session a socket to the next upstream that one can be made for.</summary>
    /// <returns>Null, or why there is none.</returns>
    private DropReason? Connect(SessionContext session)
    {
        while (_attempts.Next(route, session) is { } upstream)
        {
            LeaveSocket(session);
            var result = UpstreamDatagrams.Open(
                session, upstream.Address, route.Settings.Replies, out var socket);
            if (result >= 0)
            {
                _attempts.OnOpened(socket!);
                result = session.Watch(socket!, IoReadiness.Readable);
                if (result >= 0)
                {
                    _socket = socket;
                    session.Shard.Events.Connected(session);
                    return null;
                }

                socket!.Dispose();
            }

            if (!_attempts.IsUpstreams(result))
            {
                _attempts.Report(route, result);
                return DropReason.NoResources;
            }

            _attempts.Fail(route, result);
        }

        return _attempts.IsFirst ? DropReason.UpstreamUnavailable : DropReason.UpstreamRefused;
    }

    /// <summary>Leaves an upstream that refused: what it has not answered is lost.</summary>
    private void LeaveSocket(SessionContext session)
    {
        if (_socket is not { } socket)
        {
            return;
        }

        KernelDrops.CountAndClose(session, socket);
        if (_expected.Unanswered > 0)
        {
            session.CountDrop(DropReason.UpstreamRefused, _expected.Unanswered);
        }

        ForgetSocket(session);
    }

    private void ForgetSocket(SessionContext session)
    {
        _socket = null;
        _foreignSeen = 0;
        _expected = default;
        _silence.OnAnswered(session, isAll: true);
    }

    /// <summary>What came from another address than the upstream's, where the kernel does not refuse it.</summary>
    private void CountForeign(SessionContext session)
    {
        if (_socket is { ForeignDrops: > 0 and var foreign } && foreign != _foreignSeen)
        {
            session.CountDrop(DropReason.ForeignSource, foreign - _foreignSeen);
            _foreignSeen = foreign;
        }
    }

    /// <summary>Has the session end: by a message to itself where something waits in its mailbox, which goes before and
    /// may put the end off.</summary>
    private void EndIfAnswered(SessionContext session)
    {
        if (!IsAnswered || _isEnding || session.IsClosed)
        {
            return;
        }

        if (!session.HasMessages)
        {
            session.Close(CloseReason.Done);
            return;
        }

        _isEnding = true;
        session.Ref.Tell(EndWhenAnswered.Instance, ActorRefs.NoSender);
    }

    private void Release(SessionContext session)
    {
        if (_socket is { } socket)
        {
            KernelDrops.CountAndClose(session, socket);
            _socket = null;
        }

        _removed?.Dispose();
        _removed = null;
        _attempts.Return();
    }

    private sealed class EndWhenAnswered
    {
        public static readonly EndWhenAnswered Instance = new();
    }
}

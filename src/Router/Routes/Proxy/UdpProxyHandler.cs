using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>One UDP session of a proxy: a connected socket to its upstream. Payloads leave right from the receive
/// slots, and replies are
/// received right into the listener's send queue: nothing is copied or allocated on the way.</summary>
/// <remarks>
/// A refusal (ICMP) before the upstream's first reply moves the session to the next upstream, with the datagram at
/// hand; when none is
/// left it closes as upstream-failed. After the first reply a refusal is a counted drop and the session stays: an
/// upstream that restarts keeps its sessions.
/// </remarks>
internal unsafe partial class UdpProxyHandler(ProxyRoute route) : SessionHandler
{
    /// <summary>Replies taken in one turn; what is left is reported again by the loop's next poll.</summary>
    private const int RepliesPerTurn = 16;

    private const int SocketAttempts = 3;

    /// <summary>Payloads handed to the socket at once.</summary>
    private const int RunMax = 64;

    private ConnectedDatagramSocket? _socket;
    private ProxyAttempts _attempts;
    private UpstreamSilence _silence;
    private int _unanswered;     // sent less received
    private long _owed;          // replies before the session may end, where their number is configured
    private long _foreignSeen;   // of the socket's count
    private bool _hasReplied;    // the upstream
    private bool _isEnding;      // EndWhenAnswered is in the mailbox

    /// <summary>Every reply that is expected has come, of upstreams that are still heard as well.</summary>
    private bool IsAnswered => route.Settings.Responses > 0 && _hasReplied && _owed <= 0 && !IsOwedByRetired;

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

    public override void OnClosed(SessionContext session, CloseReason reason) => Release();

    internal override void OnReplaced(SessionContext session) => Release();

    internal override bool MayEndNow(SessionContext session) => _unanswered <= 0 && !IsRetiredHeard;

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed)
        {
            return;
        }

        if (!ReferenceEquals(socket, _socket))
        {
            OnRetiredIo(session, socket);
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

        if (_socket is null && ConnectFirst(session) is { } reason)
        {
            session.CountDrop(reason);
            session.Close(CloseReason.UpstreamFailed);
            return;
        }

        Conclude(session, _socket!.Send(bytes, length), bytes, length);
    }

    /// <summary>Deals with what sending one payload has given.</summary>
    private void Conclude(SessionContext session, int result, byte* bytes, int length)
    {
        if (result < 0 && IsRefusal(result))
        {
            result = SendAgain(session, result, bytes, length);
        }

        if (result >= 0)
        {
            OnSent(session, 1);
        }
        else
        {
            var reason = DropReasonOf(result);
            session.CountDrop(reason);
            if (reason == DropReason.SendRefused)
            {
                _attempts.Tell(route, result, SocketOperation.Send);
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
            if (!moved || result >= 0 || !IsRefusal(result))
            {
                return result;
            }

            refusal = result;
        }
    }

    private void OnSent(SessionContext session, int count)
    {
        // What is owed beyond the answers to all before is credit for the first of them, not for those behind it.
        var owing = _unanswered > 0 || _owed <= 0 ? count : count - 1;
        _owed = Math.Max(0, _owed) + ((long)owing * route.Settings.Responses);

        // Several replies to one datagram are no credit for the next.
        _unanswered = Math.Max(0, _unanswered) + count;
        _silence.OnAsked(session, route.UpstreamIdleMs);
    }

    /// <summary>Receives one reply.</summary>
    /// <returns>Whether there may be more, so that asking again is worth a call.</returns>
    private bool Receive(SessionContext session)
    {
        var room = session.Datagrams.Reserve(DatagramBatch.SlotBytes);
        var received = _socket!.ReceiveRun(room, DatagramBatch.SlotBytes, out var segment);
        if (received >= 0)
        {
            OnReplies(session, Commit(session, received, segment));
            return _unanswered > 0;
        }

        if (received == -(int)Errno.EMSGSIZE)
        {
            session.CountDrop(DropReason.TooLong);
            OnReplies(session, 1);
            return true;
        }

        if (!IsRefusal(received))
        {
            return false;   // nothing left, or no memory now
        }

        if (_socket.IsConnection)
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

    /// <returns>Datagrams queued.</returns>
    private static int Commit(SessionContext session, int length, int segment)
    {
        if (segment > 0 && segment < length)
        {
            return session.Datagrams.CommitTrain(session, length, segment);
        }

        session.Datagrams.Commit(session, length);
        return 1;
    }

    private void OnReplies(SessionContext session, int count)
    {
        _hasReplied = true;
        _owed -= count;
        _unanswered -= count;
        _silence.OnAnswered(session, _unanswered <= 0);
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

        if (_socket is not null && _unanswered > 0)
        {
            session.CountDrop(DropReason.UpstreamRefused);
            _unanswered--;   // and is no answer: the upstream may be silent so for upstream-idle-timeout
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
            var result = Open(session.Loop.Network, upstream.Address, route.Settings.FollowsReplies, out var socket);
            if (result >= 0)
            {
                result = session.Watch(socket!, IoReadiness.Readable);
                if (result >= 0)
                {
                    _socket = socket;
                    return null;
                }

                socket!.Dispose();
            }

            if (SocketErrors.Classify((Errno)(-result)) == SocketErrorClass.Exhausted)
            {
                _attempts.Tell(route, result);
                return DropReason.NoResources;
            }

            _attempts.Fail(route, result);
        }

        return _attempts.IsFirst ? DropReason.UpstreamUnavailable : DropReason.UpstreamRefused;
    }

    /// <summary>Makes a connected socket, and not to itself.</summary>
    /// <remarks>
    /// An upstream on this host whose port nobody has bound now: the kernel may pick that very port for the socket that
    /// connects to it, and such a socket hears itself and keeps the upstream from its port.
    /// </remarks>
    private static int Open(
        INetwork network, in SocketAddr address, bool follows, out ConnectedDatagramSocket? socket)
    {
        if (follows)
        {
            return network.FollowDatagram(address, out socket);
        }

        for (var attempt = 1; ; attempt++)
        {
            var result = network.ConnectDatagram(address, out socket);
            if (result < 0 || socket!.LocalAddress != address)
            {
                return result;
            }

            socket.Dispose();
            if (attempt == SocketAttempts)
            {
                return -(int)Errno.ECONNREFUSED;
            }
        }
    }

    /// <summary>Leaves an upstream that refused: what it has not answered is lost.</summary>
    private void LeaveSocket(SessionContext session)
    {
        if (_socket is not { } socket)
        {
            return;
        }

        _socket = null;
        _foreignSeen = 0;
        socket.Dispose();
        if (_unanswered > 0)
        {
            session.CountDrop(DropReason.UpstreamRefused, _unanswered);
        }

        _unanswered = 0;
        _owed = 0;
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

    private void Release()
    {
        _socket?.Dispose();
        _socket = null;
        _retired?.ForEach(static each => each.Dispose());
        _retired = null;
        _attempts.Return();
    }

    /// <summary>The upstream or the way to it: not this datagram, not this host's buffers.</summary>
    private static bool IsRefusal(int result) =>
        (Errno)(-result) is not (Errno.EMSGSIZE or Errno.EPERM)
        && SocketErrors.Classify((Errno)(-result)) == SocketErrorClass.Peer;

    private static DropReason DropReasonOf(int result) => SocketErrors.Classify((Errno)(-result)) switch
    {
        SocketErrorClass.Transient or SocketErrorClass.Exhausted => DropReason.SendFull,
        SocketErrorClass.Peer when IsRefusal(result) => DropReason.UpstreamRefused,
        _ => DropReason.SendRefused,
    };

    private sealed class EndWhenAnswered
    {
        public static readonly EndWhenAnswered Instance = new();
    }
}

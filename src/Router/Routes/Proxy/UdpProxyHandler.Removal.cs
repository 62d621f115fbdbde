using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>What becomes of a session whose upstream is one no more.</summary>
internal unsafe partial class UdpProxyHandler
{
    /// <summary>Upstreams that a session still hears after as many reloads took them away; then the oldest is
    /// heard no more.</summary>
    private const int RetiredMax = 8;

    private List<RetiredSocket>? _retired;   // made when it is first needed; oldest first

    private bool IsRetiredHeard => _retired is { } retired && retired.Exists(static each => each.IsOpen);

    private bool IsOwedByRetired =>
        _retired is { } retired && retired.Exists(static each => each.IsOpen && each.Owed > 0);

    internal override void OnRouteChanged(SessionContext session)
    {
        _silence.OnLimit(session, route.UpstreamIdleMs);
        if (_socket is not { } socket || !_attempts.HoldsRemoved(route))
        {
            return;
        }

        switch (route.Settings.OnUpstreamRemoved)
        {
            case UpstreamRemoval.Close:
                session.Close(CloseReason.UpstreamRemoved);
                break;
            case UpstreamRemoval.RePick:
                Retire(session, socket);
                break;
            default:
                break;
        }
    }

    /// <summary>The next datagram goes to another upstream; what this one has not answered yet still arrives.</summary>
    private void Retire(SessionContext session, ConnectedDatagramSocket socket)
    {
        _socket = null;
        _foreignSeen = 0;
        if (_unanswered > 0 || _owed > 0)
        {
            _retired ??= [];
            _retired.RemoveAll(static each => !each.IsOpen);
            if (_retired.Count == RetiredMax)
            {
                _retired[0].Dispose();
                _retired.RemoveAt(0);
            }

            _retired.Add(new RetiredSocket(this, session, socket, _unanswered, _owed));
        }
        else
        {
            socket.Dispose();
        }

        _unanswered = 0;
        _owed = 0;   // its replies are counted with its socket, and given up with it
        _attempts.StartOver();
        _silence.OnAnswered(session, isAll: true);
    }

    /// <summary>The session has no upstream: its first, or the first after one that was taken away.</summary>
    private DropReason? ConnectFirst(SessionContext session)
    {
        _hasReplied = false;
        return Connect(session);
    }

    private void OnRetiredIo(SessionContext session, IoSocket socket)
    {
        if (_retired?.Find(each => ReferenceEquals(each.Socket, socket)) is not { } retired)
        {
            return;
        }

        for (var i = 0; i < RepliesPerTurn && retired.IsExpected; i++)
        {
            var room = session.Datagrams.Reserve(DatagramBatch.SlotBytes);
            var received = retired.Socket.ReceiveRun(room, DatagramBatch.SlotBytes, out var segment);
            var isTooLong = received == -(int)Errno.EMSGSIZE;
            if (received < 0 && !isTooLong)
            {
                if (IsRefusal(received))
                {
                    OnRetiredRefused(session, retired);
                }

                break;
            }

            if (isTooLong)
            {
                session.CountDrop(DropReason.TooLong);
            }

            var count = isTooLong ? 1 : Commit(session, received, segment);
            retired.Unanswered -= count;
            retired.Owed -= count;
            _hasReplied |= _socket is null;
        }

        if (!retired.IsExpected)
        {
            retired.Dispose();
            _retired.Remove(retired);
            EndIfAnswered(session);
        }
    }

    private static void OnRetiredRefused(SessionContext session, RetiredSocket retired)
    {
        if (retired.Unanswered > 0)
        {
            session.CountDrop(DropReason.UpstreamRefused, retired.Unanswered);
        }

        (retired.Unanswered, retired.Owed) = (0, 0);
    }

    /// <summary>A socket to an upstream that was taken away, kept for the answers that are under way. Loop
    /// thread.</summary>
    private sealed class RetiredSocket : LoopTimer, IDisposable
    {
        /// <summary>As long as a resolver waits for a reply (resolv.conf(5)).</summary>
        private const int KeptMs = 5_000;

        private readonly UdpProxyHandler _handler;
        private readonly SessionContext _session;

        public RetiredSocket(
            UdpProxyHandler handler, SessionContext session, ConnectedDatagramSocket socket, int unanswered, long owed)
        {
            _handler = handler;
            _session = session;
            Socket = socket;
            Unanswered = unanswered;
            Owed = owed;
            session.Loop.Schedule(this, session.Loop.NowMs + KeptMs);
        }

        public ConnectedDatagramSocket Socket { get; }

        public int Unanswered { get; set; }

        /// <summary>Replies before the session may end.</summary>
        public long Owed { get; set; }

        public bool IsExpected => Unanswered > 0 || Owed > 0;

        public bool IsOpen => !Socket.IsClosed;

        public void Dispose()
        {
            _session.Loop.Cancel(this);
            Socket.Dispose();
        }

        /// <summary>It may be all that the session still waited for.</summary>
        internal override void OnTimer()
        {
            Socket.Dispose();
            _handler.EndIfAnswered(_session);
        }
    }
}

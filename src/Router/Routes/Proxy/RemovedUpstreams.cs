using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>The sockets of one session to upstreams that reloads have taken away, kept for the replies that are under
/// way. Loop thread only.</summary>
/// <param name="session">Whose they are.</param>
/// <param name="onGivenUp">Called when one is closed by its timer: it may be all that the session still waited
/// for.</param>
internal sealed class RemovedUpstreams(SessionContext session, Action<SessionContext> onGivenUp) : IDisposable
{
    /// <summary>Beyond it the oldest is closed.</summary>
    private const int SocketsMax = 8;

    private readonly List<RemovedSocket> _sockets = [];   // oldest first

    public bool IsHeard => _sockets.Exists(static each => each.IsOpen);

    public bool IsOwing => _sockets.Exists(static each => each is { IsOpen: true, Expected.Owed: > 0 });

    /// <summary>Keeps the socket if anything is expected of it, and closes it otherwise.</summary>
    public void Add(ConnectedDatagramSocket socket, ExpectedReplies expected)
    {
        if (!expected.Any)
        {
            KernelDrops.CountAndClose(session, socket);
            return;
        }

        _sockets.RemoveAll(static each => !each.IsOpen);
        if (_sockets.Count == SocketsMax)
        {
            _sockets[0].Dispose();
            _sockets.RemoveAt(0);
        }

        _sockets.Add(new RemovedSocket(session, socket, expected, onGivenUp));
    }

    /// <summary>Passes replies on until no more is there or expected; then the socket is closed.</summary>
    /// <returns>Whether any came.</returns>
    public bool Receive(IoSocket socket)
    {
        if (_sockets.Find(each => ReferenceEquals(each.Socket, socket)) is not { } removed)
        {
            return false;
        }

        var any = false;
        for (var i = 0; i < UdpProxyHandler.RepliesPerTurn && removed.Expected.Any; i++)
        {
            var received = UpstreamDatagrams.Receive(session, removed.Socket);
            if (received < 0)
            {
                if (UpstreamDatagrams.IsRefusal(received))
                {
                    removed.OnRefused();
                }

                break;
            }

            removed.Expected.OnReceived(received);
            any = true;
        }

        if (!removed.Expected.Any)
        {
            removed.Dispose();
            _sockets.Remove(removed);
        }

        return any;
    }

    public void Dispose() => _sockets.ForEach(static each => each.Dispose());

    private sealed class RemovedSocket : LoopTimer, IDisposable
    {
        /// <summary>As long as a resolver waits for a reply (resolv.conf(5)).</summary>
        private const int KeptMs = 5_000;

        private readonly SessionContext _session;
        private readonly Action<SessionContext> _onGivenUp;

        /// <summary>A field, because it is changed in place.</summary>
        public ExpectedReplies Expected;

        public RemovedSocket(
            SessionContext session, ConnectedDatagramSocket socket, ExpectedReplies expected,
            Action<SessionContext> onGivenUp)
        {
            (_session, _onGivenUp) = (session, onGivenUp);
            (Socket, Expected) = (socket, expected);
            session.Loop.Schedule(this, session.Loop.NowMs + KeptMs);
        }

        public ConnectedDatagramSocket Socket { get; }

        public bool IsOpen => !Socket.IsClosed;

        public void OnRefused()
        {
            if (Expected.Unanswered > 0)
            {
                _session.CountDrop(DropReason.UpstreamRefused, Expected.Unanswered);
            }

            Expected = default;
        }

        public void Dispose()
        {
            _session.Loop.Cancel(this);
            KernelDrops.CountAndClose(_session, Socket);
        }

        internal override void OnTimer()
        {
            KernelDrops.CountAndClose(_session, Socket);
            _onGivenUp(_session);
        }
    }
}

using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One stream session of an exec route: the peer's stream and the child's, copied into each other.</summary>
/// <remarks>
/// FIN is passed on either way. The session ends when the child has ended and all it wrote is on its way to the peer:
/// with a FIN, whatever its exit status, as of a server that has no more to say.
/// </remarks>
internal sealed class ExecStreamHandler(ExecRoute route) : SessionHandler
{
    private ExecChild? _child;
    private ChildPair? _pair;
    private ExecRestarts _restarts;
    private bool _isOver;   // nothing is left of the child's side: the session finishes its stream by itself

    internal override bool OwnsStream => !_isOver;

    public override void OnOpened(SessionContext session)
    {
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);   // killed: what the handler before held of either stream is gone
            return;
        }

        Start(session);
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is ChildEnded ended && ReferenceEquals(ended.Child, _child))
        {
            FinishIfOver(session);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason) => Leave(reason);

    internal override void OnReplaced(SessionContext session) => Leave(CloseReason.Failed);

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (!session.IsClosed && _pair is { } pair)
        {
            pair.OnReady(session, socket, ready);
            FinishIfOver(session);
        }
    }

    private void Start(SessionContext session)
    {
        var refused = ExecChild.Start(session, route, out _child);
        if (refused is null && session.Watch(_child!.Stream!, IoReadiness.Readable) < 0)
        {
            _child.Stream!.Dispose();
            refused = DropReason.NoResources;
        }

        if (refused is { } reason)
        {
            session.CountDrop(reason);
            session.CloseNow(CloseReason.UpstreamFailed);
            return;
        }

        _pair = new ChildPair(session, _child!.Stream!, route.Settings.Restart == ExecRestart.Never);
    }

    /// <summary>Once the child has ended, and everything it wrote has been read.</summary>
    private void FinishIfOver(SessionContext session)
    {
        if (session.IsClosed || _child is not { Exit: { } exit } child || _pair is not { } pair)
        {
            return;
        }

        if (child.HasNotStarted)
        {
            session.CountDrop(DropReason.ChildGone);
            session.CloseNow(CloseReason.UpstreamFailed);
        }
        else if (pair.UpstreamHasEnded)
        {
            Leave(CloseReason.Upstream);
            Finish(session, exit, pair.ClientHasEnded);
        }
    }

    private void Finish(SessionContext session, ProcessExit exit, bool clientHasEnded)
    {
        var stream = session.Stream!;
        if (ExecRestarts.Wanted(route.Settings.Restart, exit) && !clientHasEnded && stream.Socket.Loop is not null)
        {
            if (_restarts.TryTake(session))
            {
                Start(session);
            }
            else
            {
                session.CloseNow(CloseReason.Failed);
            }

            return;
        }

        _isOver = true;
        stream.PeerFinished = clientHasEnded;
        session.Close(exit.IsSuccess ? CloseReason.Upstream : CloseReason.ChildFailed);
    }

    private void Leave(CloseReason reason)
    {
        _pair?.CloseUpstream(reason);
        _pair = null;
        _child?.End();
        _child = null;
    }

    /// <param name="session">Whose stream is the peer's.</param>
    /// <param name="child">Our end of the child's channel.</param>
    /// <param name="passesEnd">Whether the child's end of stream is the peer's: no other child follows.</param>
    private sealed class ChildPair(SessionContext session, StreamSocket child, bool passesEnd)
        : StreamPair(session, child)
    {
        protected override bool PassesUpstreamEnd => passesEnd;

        protected override bool SurvivesUpstream => true;

        /// <summary>The channel blocks by itself: its other end is the child's standard input.</summary>
        protected override bool MaySplice => false;
    }
}

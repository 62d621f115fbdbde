using Router.Diagnostics;
using Router.Net;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One session of an exec route over a connection: the peer's and the child's, copied into each other.
/// </summary>
/// <remarks>
/// The child is started at once, and an end is passed on either way. The session ends when the child has ended and all
/// it wrote is on its way to the peer.
/// </remarks>
internal abstract class ExecConnectionHandler(ExecRoute route) : SessionHandler
{
    private ExecChild? _child;
    private ConnectionPair? _pair;   // peer and child, once they are joined
    private ExecRestarts _restarts;
    private bool _isOver;   // nothing is left of the child's side: the session finishes its connection by itself

    internal sealed override bool OwnsStream => !_isOver;

    protected ExecRoute Route { get; } = route;

    public override void OnOpened(SessionContext session)
    {
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);   // killed: what the handler before held of either side is gone
            return;
        }

        Start(session);
    }

    public sealed override void OnMessage(SessionContext session, object message)
    {
        if (message is ChildEnded ended && ReferenceEquals(ended.Child, _child))
        {
            FinishIfOver(session);
        }
    }

    public sealed override bool OnDraining(SessionContext session)
    {
        // A peer that has ended its side waits for what the child makes of it.
        if (!session.IsQuiet() || _pair is not { ClientHasEnded: false })
        {
            return false;
        }

        Leave(CloseReason.Done);
        _isOver = true;   // its connection ends in order
        return true;
    }

    public sealed override void OnClosed(SessionContext session, CloseReason reason) => Leave(reason);

    internal sealed override bool KeepsPeerSilent(SessionContext session) => _pair is { HoldsClient: true };

    internal sealed override void OnReplaced(SessionContext session) => Leave(CloseReason.Failed);

    internal sealed override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (!session.IsClosed && _pair is { } pair)
        {
            pair.OnReady(socket, ready);
            FinishIfOver(session);
        }
    }

    /// <summary>Our end of the child's channel.</summary>
    protected abstract IoSocket ChannelOf(ExecChild child);

    /// <summary>The child runs: joins it with the peer.</summary>
    protected abstract ConnectionPair Join(SessionContext session, ExecChild child);

    /// <summary>Whether everything the child wrote has been taken care of, once it has ended.</summary>
    protected abstract bool IsRead(ConnectionPair pair);

    /// <summary>Whether another child may follow; the session ends otherwise.</summary>
    protected virtual bool MayRestart(SessionContext session) => true;

    /// <summary>Called before the session closes, when it ends with its child.</summary>
    protected virtual void OnOver(SessionContext session, bool clientHasEnded)
    {
    }

    private void Start(SessionContext session)
    {
        var refused = ExecChild.Start(session, Route, out var child);
        _child = child;
        if (refused is null && session.Watch(ChannelOf(child!), IoReadiness.Readable) < 0)
        {
            ChannelOf(child!).Dispose();
            refused = DropReason.NoResources;
        }

        if (refused is { } reason)
        {
            session.CountDrop(reason);
            session.CloseNow(CloseReason.UpstreamFailed);
            return;
        }

        _pair = Join(session, child!);
    }

    private void FinishIfOver(SessionContext session)
    {
        if (session.IsClosed || _child is not { Exit: { } exit } child || _pair is not { } pair)
        {
            return;
        }

        if (child.HasFailedToStart)
        {
            session.CountDrop(DropReason.ChildGone);
            session.CloseNow(CloseReason.UpstreamFailed);
        }
        else if (IsRead(pair))
        {
            var clientHasEnded = pair.ClientHasEnded;
            Leave(CloseReason.Upstream);
            Finish(session, exit, clientHasEnded);
        }
    }

    private void Finish(SessionContext session, ProcessExit exit, bool clientHasEnded)
    {
        if (!ExecRestarts.Wanted(Route.Settings.Restart, exit) || clientHasEnded || !MayRestart(session))
        {
            _isOver = true;
            OnOver(session, clientHasEnded);
            session.Close(exit.IsSuccess ? CloseReason.Upstream : CloseReason.ChildFailed);
        }
        else if (_restarts.TryTake(session))
        {
            Start(session);
        }
        else
        {
            session.CloseNow(CloseReason.Failed);
        }
    }

    private void Leave(CloseReason reason)
    {
        _pair?.CloseUpstream(reason);
        _pair = null;
        _child?.End();
        _child = null;
    }
}

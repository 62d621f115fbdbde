using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One unixpacket session of an exec route: a message of the peer is one that the child reads, and one that it
/// writes is the peer's.</summary>
/// <remarks>
/// The child is started at once, as for a stream, and the peer's end is its end of input. An empty message cannot be
/// told from that by a child, and is dropped. What the child does not read yet stops the peer.
/// </remarks>
internal sealed class ExecPacketHandler(ExecRoute route) : SessionHandler
{
    private ExecChild? _child;
    private PacketPair? _pair;
    private ExecRestarts _restarts;
    private bool _isOver;   // nothing is left of the child's side: the session finishes its connection by itself

    internal override bool OwnsStream => !_isOver;

    public override void OnOpened(SessionContext session)
    {
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);   // killed: what the handler before held of either side is gone
            return;
        }

        Start(session);
        if (!session.IsClosed && session.Packets!.Socket.Loop is null
            && session.Watch(session.Packets.Socket, IoReadiness.Readable) < 0)
        {
            session.CountDrop(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
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

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (!session.IsClosed && _pair is { } pair)
        {
            pair.OnReady(socket, ready);
            FinishIfOver(session);
        }
    }

    private void Start(SessionContext session)
    {
        var refused = ExecChild.Start(session, route, out _child);
        if (refused is null && session.Watch(_child!.Packets!, IoReadiness.Readable) < 0)
        {
            _child.Packets!.Dispose();
            refused = DropReason.NoResources;
        }

        if (refused is { } reason)
        {
            session.CountDrop(reason);
            session.CloseNow(CloseReason.UpstreamFailed);
            return;
        }

        _pair = new PacketPair(session, _child!.Packets!, static _ => { })
        {
            SurvivesUpstream = true,
            DropsEmpty = true,
        };
    }

    /// <summary>Once the child has ended, and the peer has been sent everything it wrote.</summary>
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
        else if (pair.UpstreamHasEnded && !session.Packets!.Output.HasUnsent)
        {
            var clientHasEnded = pair.ClientHasEnded;
            Leave();
            Finish(session, exit, clientHasEnded);
        }
    }

    private void Finish(SessionContext session, ProcessExit exit, bool clientHasEnded)
    {
        if (!ExecRestarts.Wanted(route.Settings.Restart, exit) || clientHasEnded)
        {
            _isOver = true;
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

    private void Leave()
    {
        _pair?.Close();
        _pair = null;
        _child?.End();
        _child = null;
    }
}

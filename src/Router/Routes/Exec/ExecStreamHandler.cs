using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One stream session of an exec route: the peer's stream and the child's.</summary>
/// <remarks>
/// FIN is passed on either way, and the session ends with one whatever the child's exit status, as of a server that has
/// no more to say.
/// </remarks>
internal sealed class ExecStreamHandler(ExecRoute route) : ExecConnectionHandler(route)
{
    protected override IoSocket ChannelOf(ExecChild child) => child.Stream!;

    protected override ConnectionPair Join(SessionContext session, ExecChild child) =>
        new ChildPair(session, child.Stream!, Route.Settings.Restart == ExecRestart.Never);

    protected override bool IsRead(ConnectionPair pair) => pair.UpstreamHasEnded;

    /// <summary>A peer that has gone hears no other child.</summary>
    protected override bool MayRestart(SessionContext session) => session.Stream!.Socket.Loop is not null;

    protected override void OnOver(SessionContext session, bool clientHasEnded) =>
        session.Stream!.HasEnded = clientHasEnded;

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

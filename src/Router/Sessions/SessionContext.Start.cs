using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>How the session begins, and what of it serves a later one.</summary>
public sealed partial class SessionContext
{
    /// <summary>Not only made ahead.</summary>
    internal bool HasBegun => _shard is not null;

    /// <summary>Parts with its actor, for the next peer's session. Loop thread; the session has ended.</summary>
    /// <returns>False if somebody may have the reference.</returns>
    internal bool TryGiveAway()
    {
        if (Interlocked.CompareExchange(ref _reach, GivenAway, Private) != Private)
        {
            return false;
        }

        Ref = ActorRefs.Nobody;
        return true;
    }

    /// <summary>As new, with an actor: a session to come.</summary>
    internal void Reset(SessionActor actor, IActorRef self)
    {
        Check.That(!IsArmed);
        (Actor, Ref) = (actor, self);
        (_shard, _start) = (null!, null!);
        _extras = null;
        _budget = default;
        (PayloadsReceived, BytesReceived, PayloadsSent, BytesSent) = (0, 0, 0, 0);
        (Handler, UpstreamTraffic, Run, Carrier) = (null, null, null, null);
        (HasEnded, IsLingering) = (false, false);
        Closing = CloseReason.None;
        Volatile.Write(ref _reach, Private);
    }

    /// <summary>It is a session from now on; not open yet.</summary>
    internal void Begin(Shard shard, SessionTransport transport, in SocketAddr peer, in LocalAddr local)
    {
        _shard = shard;
        PeerAddr = peer;
        _start = shard.Share(transport, local);
        Id = shard.Ids.Next();
        _openedTicksUtc = shard.Events.Now.UtcTicks;
        _times = new SessionTimes(shard.Loop.NowMs);
        if (shard.Settings.OnPool)
        {
            var extras = new SessionExtras();   // now, because two threads will look for it
            extras.Posted = new PoolBridge(this, extras);
            _extras = extras;
        }

        if (peer.IsUnix)
        {
            UnixNames.Hold(peer);
            _budget.Lift();   // nobody can send under another's name
        }
    }
}

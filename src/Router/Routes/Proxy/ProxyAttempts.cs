using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>The upstream that a session holds, and those that have failed it. A part of its handler.</summary>
internal struct ProxyAttempts
{
    private Upstream? _held;
    private Upstream? _pinned;
    private List<Upstream>? _failed;   // made with the first failure
    private IoSocket? _socket;         // the last one towards the held upstream, closed or not

    /// <summary>Whether no upstream has failed this session so far.</summary>
    public readonly bool IsFirst => _failed is null;

    /// <summary>The upstream that the session uses, or tries to reach.</summary>
    public readonly Upstream? Held => _held;

    /// <summary>The session's own end of that socket; empty without one.</summary>
    public readonly SocketAddr Local => _socket?.LocalAddress ?? default;

    /// <summary>The session has a socket to the held upstream.</summary>
    public void OnOpened(IoSocket socket) => _socket = socket;

    /// <summary>Has the session use this upstream and no other; it is tried once.</summary>
    public void Pin(Upstream upstream) => _pinned = upstream;

    /// <summary>Whether the held upstream is no longer one of the route's. A pinned one stays as long as the
    /// session.</summary>
    public readonly bool HoldsRemoved(ProxyRoute route) =>
        _pinned is null && _held is { } upstream && !route.Group.Current.Contains(upstream);

    /// <summary>Takes an upstream that has not failed this session, and gives back the one it held.</summary>
    /// <returns>Null when none is left or the tries are used up: then the session still holds what it held.</returns>
    public Upstream? Next(ProxyRoute route, SessionContext session)
    {
        if (_failed is { } failed && failed.Count >= route.Settings.NextUpstreamTries)
        {
            return null;
        }

        if (_pinned is { } pinned)
        {
            return TakePinned(session, pinned);
        }

        var next = route.Group.Pick(route.Settings.Pick, session.PeerAddr, CollectionsMarshal.AsSpan(_failed));
        if (next is not null)
        {
            Return();
            (_held, _socket) = (next, null);
            session.GoTo(next.TrafficOf(session.Loop.Index));
        }

        return next;
    }

    private Upstream? TakePinned(SessionContext session, Upstream pinned)
    {
        if (_held is not null || _failed is not null)
        {
            return null;
        }

        pinned.Take();
        _held = pinned;
        session.GoTo(pinned.TrafficOf(session.Loop.Index));
        return pinned;
    }

    /// <summary>
    /// The held upstream refused or cannot be reached: this session does not take it again, and others avoid it for a
    /// while.
    /// </summary>
    public void Fail(ProxyRoute route, int result)
    {
        Report(route, result);
        if (_held is { } upstream)
        {
            route.Group.MarkFailed(upstream);
            _failed ??= [];
            if (!_failed.Contains(upstream))
            {
                _failed.Add(upstream);
            }
        }
    }

    /// <summary>Other sessions avoid the held upstream for a while.</summary>
    public readonly void Mark(ProxyRoute route, int result)
    {
        Report(route, result);
        if (_held is { } upstream)
        {
            route.Group.MarkFailed(upstream);
        }
    }

    /// <summary>Logs what failed on the way to the held upstream.</summary>
    /// <param name="route">The route of the session.</param>
    /// <param name="result">A negative errno.</param>
    /// <param name="operation">What was being done.</param>
    public readonly void Report(
        ProxyRoute route, int result, SocketOperation operation = SocketOperation.Connect)
    {
        if (_held is { } upstream)
        {
            route.Group.ReportFailure(upstream, Local, (Errno)(-result), operation);
        }
    }

    /// <summary>The held upstream could not be connected to: it has failed, or there is nothing left to connect with,
    /// and the session closes.</summary>
    /// <returns>Whether another may be tried.</returns>
    public bool MayGoOn(ProxyRoute route, SessionContext session, int result)
    {
        if (IsUpstreams(result))
        {
            Fail(route, result);
            return true;
        }

        Report(route, result);
        session.CountDrop(DropReason.NoResources);
        session.CloseNow(CloseReason.UpstreamFailed);
        return false;
    }

    /// <summary>Whether a failed connect is the held upstream's fault, so that another may be tried.</summary>
    public readonly bool IsUpstreams(int result) => UpstreamErrors.OfConnect(
        (Errno)(-result), _held is { Address.IsUnix: true }) == UpstreamErrorClass.Upstream;

    /// <summary>No upstream is left: the session closes.</summary>
    public readonly void GiveUp(SessionContext session)
    {
        session.CountDrop(IsFirst ? DropReason.UpstreamUnavailable : DropReason.UpstreamRefused);
        session.CloseNow(CloseReason.UpstreamFailed);
    }

    /// <summary>Gives the held upstream back and forgets which ones failed.</summary>
    public void StartOver()
    {
        Return();
        _failed = null;
    }

    /// <summary>Gives the held upstream back, if there is one.</summary>
    public void Return()
    {
        var held = _held;
        _held = null;
        held?.Return();
    }
}

/// <summary>
/// Watches for an upstream that was sent something and stays silent. A payload only writes a time; the session's timer
/// looks at it.
/// </summary>
internal struct UpstreamSilence
{
    private long _sinceMs;   // 0: nothing is unanswered
    private bool _armed;

    /// <summary>How long the upstream has been silent, though something is unanswered; 0 if nothing is.</summary>
    public readonly long LastsMs(SessionContext session) => _sinceMs == 0 ? 0 : Now(session) - _sinceMs;

    /// <summary>Something was passed on. Its time is kept without a limit too: a reload may bring one.</summary>
    public void OnAsked(SessionContext session, int timeoutMs)
    {
        if (_sinceMs != 0)
        {
            return;
        }

        _sinceMs = Now(session);
        if (timeoutMs != 0 && !_armed)
        {
            _armed = true;
            session.SetTimer(TimeSpan.FromMilliseconds(timeoutMs));
        }
    }

    /// <summary>The upstream has sent something.</summary>
    /// <param name="session">The session.</param>
    /// <param name="isAll">Whether nothing is unanswered any more.</param>
    public void OnAnswered(SessionContext session, bool isAll)
    {
        if (_sinceMs != 0)
        {
            _sinceMs = isAll ? 0 : Now(session);
        }
    }

    /// <summary>The limit may have changed: sets the session's timer again, which may have to come sooner.</summary>
    public void OnLimit(SessionContext session, int timeoutMs)
    {
        if (_sinceMs != 0 && timeoutMs != 0)
        {
            _armed = true;
            session.SetTimer(TimeSpan.FromMilliseconds(_sinceMs + timeoutMs - Now(session)));
        }
    }

    /// <summary>The session's timer has come.</summary>
    /// <returns>Whether the upstream has been silent for too long.</returns>
    public bool OnTimer(SessionContext session, int timeoutMs)
    {
        _armed = false;
        if (_sinceMs == 0 || timeoutMs == 0)
        {
            return false;   // nothing is unanswered, or a reload has taken the limit away
        }

        var left = _sinceMs + timeoutMs - Now(session);
        if (left <= 0)
        {
            return true;
        }

        _armed = true;
        session.SetTimer(TimeSpan.FromMilliseconds(left));
        return false;
    }

    /// <summary>One more than the loop's time, so that 0 is free to mean none.</summary>
    private static long Now(SessionContext session) => session.Loop.NowMs + 1;
}

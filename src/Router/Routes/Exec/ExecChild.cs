using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Told to a session: its child has ended, or could not be started.</summary>
internal sealed class ChildEnded(ExecChild child)
{
    public ExecChild Child => child;
}

/// <summary>
/// A child process and its group, from the start until nothing of them is left. Outlives its session. Loop thread only.
/// </summary>
/// <remarks>
/// The group is told SIGTERM when the session ends, or when the child has ended and left others in its group; and
/// SIGKILL after <c>grace</c>, or as soon as the child has ended and nobody holds its standard error any more. The
/// child is waited for last, so that until then its group's number is nobody else's.
/// </remarks>
internal sealed class ExecChild : LoopTimer, IIoReceiver, IProcessReceiver
{
    /// <summary>Between looks at a child that was killed and cannot be watched.</summary>
    private const int LookAgainMs = 100;

    private readonly SessionContext _session;
    private readonly ExecRoute _route;
    private readonly ExecErrors _errors;
    private ChildProcess? _process;
    private long _startedMs;
    private bool _isKilled;
    private bool _isEnding;

    private ExecChild(SessionContext session, ExecRoute route)
    {
        _session = session;
        _route = route;
        _errors = new ExecErrors(session, route.Settings.ErrorLines, OnErrorsEnded);
    }

    /// <summary>Our end of its channel where it is a stream, which the session watches and disposes of.</summary>
    public StreamSocket? Stream => _process?.Stream;

    /// <summary>The same where the channel keeps messages.</summary>
    public ConnectedDatagramSocket? Packets => _process?.Packets;

    /// <summary>How it ended; null while it runs. Status -1 without a signal where it could not be started.</summary>
    public ProcessExit? Exit { get; private set; }

    public bool HasFailedToStart { get; private set; }

    /// <summary>Has a child started. It can be written to at once.</summary>
    /// <returns>Null, or why there is none: what was to be passed to it is dropped for that reason.</returns>
    public static DropReason? Start(SessionContext session, ExecRoute route, out ExecChild? child)
    {
        child = null;
        if (!route.Processes.TryTake())
        {
            return DropReason.MaxProcesses;
        }

        var made = new ExecChild(session, route);
        var processes = NetworkProcesses.Of(session.Loop.Network);
        var result = processes.Start(route.StartFor(session), session.Loop, made, out made._process);
        if (result < 0)
        {
            route.Processes.Return();
            route.ReportFailure(session, result);
            return DropReason.NoResources;
        }

        child = made;
        return null;
    }

    /// <summary>Ends the child's process group, within the grace at the latest: the session has ended, or has no more
    /// use for it.</summary>
    public void End()
    {
        if (_isEnding)
        {
            return;
        }

        _isEnding = true;
        if (_process is not { Id: > 0 } process)
        {
            return;   // not started yet, or not at all
        }

        if (Exit is not null)
        {
            if (_errors.HasEnded)
            {
                Reap();
            }

            return;
        }

        process.Signal(ProcessSignal.Terminate);
        ArmGrace();
    }

    void IProcessReceiver.OnStarted(ChildProcess child, int result)
    {
        if (result < 0)
        {
            HasFailedToStart = true;
            Exit = new ProcessExit(-1, 0);
            _process = null;
            child.Dispose();
            _route.Processes.Return();
            _route.ReportFailure(_session, result);
            TellSession();
            return;
        }

        _startedMs = _session.Loop.NowMs;
        _session.Shard.Events.ChildStarted(_session, child.Id, _route.Settings.Command[0]);
        _errors.Start(child);
        if (_session.Loop.Register(child.Ending!, this, IoReadiness.Readable) < 0)
        {
            // It cannot be watched: ended at once, and looked after by the timer.
            child.Signal(ProcessSignal.Kill);
            _isKilled = true;
            _session.Loop.Schedule(this, _session.Loop.NowMs + LookAgainMs);
        }
        else if (_isEnding)
        {
            child.Signal(ProcessSignal.Terminate);
            ArmGrace();
        }
    }

    void IIoReceiver.OnReady(IoSocket socket, IoReadiness ready) => OnEnded();

    internal override void OnTimer()
    {
        if (Exit is not null)
        {
            Reap();
            return;
        }

        _process!.Signal(ProcessSignal.Kill);
        _isKilled = true;
        if (_process.Exit is not null)
        {
            OnEnded();
        }
        else
        {
            _session.Loop.Schedule(this, _session.Loop.NowMs + LookAgainMs);
        }
    }

    private void OnEnded()
    {
        if (_process is not { Exit: { } exit } process || Exit is not null)
        {
            return;
        }

        Exit = exit;
        _session.Loop.TakeOff(process.Ending!);   // it stays readable
        process.Signal(ProcessSignal.Terminate);     // whoever it has left behind
        _errors.Drain();
        var age = _session.Loop.NowMs - _startedMs;
        _session.Shard.Events.ChildExited(_session, process.Id, exit, age, _errors.TakeSuppressed());
        if (_isKilled || (_isEnding && _errors.HasEnded))
        {
            Reap();
        }
        else
        {
            ArmGrace();
        }

        TellSession();
    }

    private void OnErrorsEnded()
    {
        if (_isEnding && Exit is not null)
        {
            Reap();
        }
    }

    private void TellSession()
    {
        if (!_isEnding)
        {
            _session.Self.Tell(new ChildEnded(this), ActorRefs.NoSender);
        }
    }

    /// <summary>Kills what is left of the group, then waits for the child, which gives its process id back.</summary>
    private void Reap()
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        _session.Loop.Cancel(this);
        process.Signal(ProcessSignal.Kill);
        _errors.Stop();
        process.Dispose();
        _route.Processes.Return();
    }

    private void ArmGrace()
    {
        if (!IsArmed)
        {
            _session.Loop.Schedule(
                this, _session.Loop.NowMs + Math.Max(1, (long)_route.Settings.Grace.TotalMilliseconds));
        }
    }
}

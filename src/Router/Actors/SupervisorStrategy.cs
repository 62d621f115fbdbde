namespace Router.Actors;

/// <summary>What a supervisor does with a child that failed.</summary>
public enum Directive
{
    /// <summary>Go on with the next message; the instance keeps its state.</summary>
    Resume,

    /// <summary>A fresh instance takes over the mailbox.</summary>
    Restart,

    /// <summary>The supervisor fails itself with the same cause.</summary>
    Escalate,

    Stop,
}

public interface IDecider
{
    Directive Decide(Exception cause);
}

/// <summary>How a supervisor decides on failing children, and what else the decision touches.</summary>
public abstract class SupervisorStrategy
{
    /// <summary>Stop for <see cref="ActorInitializationException"/>, <see cref="ActorKilledException"/> and
    /// <see cref="DeathPactException"/>, else Restart.</summary>
    public static readonly IDecider DefaultDecider = new DeciderOf(static cause => cause
        is ActorInitializationException or ActorKilledException or DeathPactException
            ? Directive.Stop
            : Directive.Restart);

    /// <summary><see cref="OneForOneStrategy"/> with <see cref="DefaultDecider"/>, no limit of restarts.</summary>
    public static readonly SupervisorStrategy DefaultStrategy = new OneForOneStrategy(DefaultDecider);

    /// <summary>Every failure stops the child.</summary>
    public static readonly SupervisorStrategy StoppingStrategy = new OneForOneStrategy(static _ => Directive.Stop);

    private readonly bool _loggingEnabled;

    private protected SupervisorStrategy(bool loggingEnabled) => _loggingEnabled = loggingEnabled;

    protected abstract Directive Handle(IActorRef child, Exception exception);

    /// <summary>Acts on the failed child: restart it if it may be, else stop it.</summary>
    private protected abstract void ProcessFailure(
        ActorCell parent,
        bool restart,
        ActorCell child,
        Exception cause,
        ChildRestartStats stats,
        Dictionary<ActorCell, ChildRestartStats> allStats,
        ChildrenContainer children);

    /// <summary>Decides and carries the decision out.</summary>
    /// <returns>False to escalate.</returns>
    internal bool HandleFailure(
        ActorCell parent,
        ActorCell child,
        Exception cause,
        ChildRestartStats stats,
        Dictionary<ActorCell, ChildRestartStats> allStats,
        ChildrenContainer children)
    {
        var directive = Handle(child, cause);
        LogFailure(parent.System, child, cause, directive);
        switch (directive)
        {
            case Directive.Resume:
                child.Resume(cause);
                return true;
            case Directive.Restart:
            case Directive.Stop:
                ProcessFailure(parent, directive == Directive.Restart, child, cause, stats, allStats, children);
                return true;
            default:
                return false;
        }
    }

    private void LogFailure(ActorSystem system, ActorCell child, Exception cause, Directive directive)
    {
        if (!_loggingEnabled || directive == Directive.Escalate)
        {
            return;
        }

        var logged = cause is ActorInitializationException { InnerException: { } inner } ? inner : cause;
        system.EventStream.Publish(directive == Directive.Resume
            ? new Warning(child.Path.ToString(), GetType(), logged.Message)
            : new Error(logged, child.Path.ToString(), GetType(), logged.Message));
    }

    private protected static int Milliseconds(TimeSpan? range) =>
        range is { } value && value >= TimeSpan.Zero ? (int)Math.Min(value.TotalMilliseconds, int.MaxValue) : -1;

    private protected sealed class DeciderOf(Func<Exception, Directive> decide) : IDecider
    {
        public Directive Decide(Exception cause) => decide(cause);
    }
}

/// <summary>The decision touches the failed child alone.</summary>
public class OneForOneStrategy : SupervisorStrategy
{
    private readonly int _maxNrOfRetries;
    private readonly int _withinTimeMilliseconds;
    private readonly IDecider _decider;

    public OneForOneStrategy(IDecider decider)
        : this(-1, -1, decider)
    {
    }

    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    /// <param name="maxNrOfRetries">Restarts allowed within the range; -1 or null for no limit, 0 for none.
    /// One more and the child is stopped.</param>
    /// <param name="withinTimeRange">The range; null for the child's whole life.</param>
    /// <param name="localOnlyDecider">The decision.</param>
    public OneForOneStrategy(
        int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    /// <inheritdoc cref="OneForOneStrategy(int, int, IDecider, bool)"/>
    public OneForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        Func<Exception, Directive> localOnlyDecider,
        bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new DeciderOf(localOnlyDecider), loggingEnabled)
    {
    }

    /// <param name="maxNrOfRetries">As above.</param>
    /// <param name="withinTimeMilliseconds">The range in milliseconds; -1 for the child's whole life.</param>
    /// <param name="decider">The decision.</param>
    /// <param name="loggingEnabled">False publishes no log event about failures.</param>
    public OneForOneStrategy(
        int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
        : base(loggingEnabled)
    {
        _maxNrOfRetries = maxNrOfRetries;
        _withinTimeMilliseconds = withinTimeMilliseconds;
        _decider = decider;
    }

    protected override Directive Handle(IActorRef child, Exception exception) => _decider.Decide(exception);

    private protected override void ProcessFailure(
        ActorCell parent,
        bool restart,
        ActorCell child,
        Exception cause,
        ChildRestartStats stats,
        Dictionary<ActorCell, ChildRestartStats> allStats,
        ChildrenContainer children)
    {
        if (restart && stats.RequestRestartPermission(
            parent.System.Scheduler, _maxNrOfRetries, _withinTimeMilliseconds))
        {
            child.Restart(cause);
        }
        else
        {
            parent.Stop(child);
        }
    }
}

/// <summary>The decision touches all children: one restarts, all restart.</summary>
public sealed class AllForOneStrategy : SupervisorStrategy
{
    private readonly int _maxNrOfRetries;
    private readonly int _withinTimeMilliseconds;
    private readonly IDecider _decider;

    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    /// <inheritdoc cref="OneForOneStrategy(int?, TimeSpan?, Func{Exception, Directive})"/>
    public AllForOneStrategy(
        int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    /// <inheritdoc cref="OneForOneStrategy(int, int, IDecider, bool)"/>
    public AllForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        Func<Exception, Directive> localOnlyDecider,
        bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new DeciderOf(localOnlyDecider), loggingEnabled)
    {
    }

    /// <inheritdoc cref="OneForOneStrategy(int, int, IDecider, bool)"/>
    public AllForOneStrategy(
        int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
        : base(loggingEnabled)
    {
        _maxNrOfRetries = maxNrOfRetries;
        _withinTimeMilliseconds = withinTimeMilliseconds;
        _decider = decider;
    }

    protected override Directive Handle(IActorRef child, Exception exception) => _decider.Decide(exception);

    private protected override void ProcessFailure(
        ActorCell parent,
        bool restart,
        ActorCell child,
        Exception cause,
        ChildRestartStats stats,
        Dictionary<ActorCell, ChildRestartStats> allStats,
        ChildrenContainer children)
    {
        var all = children.Snapshot();
        var scheduler = parent.System.Scheduler;
        var permitted = restart && Array.TrueForAll(all, each =>
        {
            if (!allStats.TryGetValue(each, out var eachStats))
            {
                allStats[each] = eachStats = new ChildRestartStats(each);
            }

            return eachStats.RequestRestartPermission(scheduler, _maxNrOfRetries, _withinTimeMilliseconds);
        });

        foreach (var each in all)
        {
            if (!permitted)
            {
                parent.Stop(each);
                continue;
            }

            if (!ReferenceEquals(each, child))
            {
                each.Suspend();
            }

            each.Restart(cause);
        }
    }
}

/// <summary>How often a child was restarted of late.</summary>
internal sealed class ChildRestartStats(ActorCell child)
{
    private int _restarts;
    private TimeSpan? _windowStart;

    public ActorCell Child => child;

    /// <summary>Counts a restart, if there may be one more.</summary>
    /// <remarks>A window opens with its first restart; the first one after it has passed opens the next. A
    /// window without a number of retries allows one restart.</remarks>
    public bool RequestRestartPermission(IScheduler scheduler, int retriesMax, int windowMs)
    {
        if (retriesMax == 0)
        {
            return false;
        }

        if (windowMs <= 0)
        {
            return retriesMax < 0 || ++_restarts <= retriesMax;
        }

        var now = scheduler.MonotonicClock;
        var start = _windowStart ??= now;
        if (now - start <= TimeSpan.FromMilliseconds(windowMs))
        {
            return ++_restarts <= Math.Max(retriesMax, 1);
        }

        _restarts = 1;
        _windowStart = now;
        return true;
    }
}

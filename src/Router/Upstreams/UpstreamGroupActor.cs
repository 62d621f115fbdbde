using System.Net;

namespace Router.Upstreams;

/// <summary>Told to all groups: their settings from now on. A group that is not among them ends, and has no upstreams
/// any more.</summary>
/// <param name="Groups">The settings of each.</param>
/// <param name="Done">What each group answers once it has applied them.</param>
internal sealed record UpstreamGroupChanges(
    IReadOnlyDictionary<UpstreamGroup, UpstreamGroupSettings> Groups, object Done);

/// <summary>Told to all groups: the router's listeners have changed, which must not be upstreams.</summary>
internal sealed class OwnListenersChanged
{
    public static readonly OwnListenersChanged Instance = new();
}

/// <summary>
/// Keeps a group's names resolved: asks them all, publishes what has changed, waits, asks again. On the pool.
/// </summary>
/// <remarks>Rounds do not overlap, and a round ends by its time-out even if the resolver never answers.</remarks>
internal sealed class UpstreamGroupActor : ReceiveActor, IWithTimers
{
    /// <summary>The interval while a name does not resolve, if the configured one is longer.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private const string Timer = "resolve";

    private readonly UpstreamNames _names;
    private readonly INameResolver _resolver;
    private readonly HashSet<int> _open = [];   // names without an answer in this round
    private CancellationTokenSource? _asking;
    private long _round;
    private bool _failed;

    public UpstreamGroupActor(UpstreamNames names, INameResolver resolver)
    {
        _names = names;
        _resolver = resolver;
        Receive<BeginRound>(_ => OnBeginRound());
        Receive<Answer>(OnAnswer);
        Receive<RoundTimeout>(OnRoundTimeout);
        Receive<UpstreamGroupChanges>(OnChanges);
        Receive<OwnListenersChanged>(_ => _names.Publish());
        Receive<SetUpstream>(OnSet);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private UpstreamGroupSettings Settings => _names.Group.Settings;

    private TimeSpan Retry => Settings.ResolveInterval < RetryAfter ? Settings.ResolveInterval : RetryAfter;

    public static Props PropsFor(UpstreamNames names, INameResolver resolver) =>
        Props.Create<UpstreamGroupActor>(names, resolver);

    protected override void PreStart() => OnBeginRound();

    protected override void PostStop()
    {
        EndAsking();
        _names.Group.EndFirstRound();   // whoever waits must not wait for the dead
    }

    /// <summary>Where names or their interval changed, a round that is under way ends unheard and all are asked
    /// anew.</summary>
    private void OnChanges(UpstreamGroupChanges changes)
    {
        if (!changes.Groups.TryGetValue(_names.Group, out var settings))
        {
            _names.Change(Settings with { Targets = [] });
            Context.Stop(Self);
            return;
        }

        var asksAnew = settings.ResolveInterval != Settings.ResolveInterval
            || !settings.Targets.SequenceEqual(Settings.Targets);
        _names.Change(settings);
        if (asksAnew)
        {
            EndAsking();
            _open.Clear();
            Timers.Cancel(Timer);
            OnBeginRound();
        }

        Sender.Tell(changes.Done, ActorRefs.NoSender);
    }

    private void OnSet(SetUpstream change)
    {
        if (ReferenceEquals(change.Group, _names.Group))
        {
            Sender.Tell(
                new UpstreamSet(_names.Set(change.Upstream, change.Mode, change.Weight)), ActorRefs.NoSender);
        }
    }

    private void OnBeginRound()
    {
        if (_names.ToResolve.Count == 0)
        {
            _names.Group.EndFirstRound();
            return;
        }

        _round++;
        _failed = false;
        _asking = new CancellationTokenSource();
        foreach (var index in _names.ToResolve)
        {
            _open.Add(index);
            var round = _round;
            _ = AskAsync(Settings.Targets[index].Host, _asking.Token).PipeTo(
                Self,
                success: addresses => new Answer(round, index, addresses, ""),
                failure: error => new Answer(round, index, [], error.GetBaseException().Message));
        }

        Timers.StartSingleTimer(Timer, new RoundTimeout(_round), Settings.ResolveTimeout);
    }

    /// <summary>Also what a resolver throws instead of returning it becomes a failed task.</summary>
    private async Task<IPAddress[]> AskAsync(string name, CancellationToken cancellationToken) =>
        await _resolver.ResolveAsync(name, cancellationToken);

    private void OnAnswer(Answer answer)
    {
        if (answer.Round != _round || !_open.Remove(answer.Index))
        {
            return;   // its round has timed out
        }

        if (answer.Addresses.Length > 0)
        {
            _names.OnResolved(answer.Index, answer.Addresses);
        }
        else
        {
            Fail(answer.Index, answer.Error.Length > 0 ? answer.Error : "the answer holds no address");
        }

        if (_open.Count == 0)
        {
            EndRound();
        }
    }

    private void OnRoundTimeout(RoundTimeout timeout)
    {
        if (timeout.Round != _round || _open.Count == 0)
        {
            return;
        }

        foreach (var index in _open.Order())
        {
            Fail(index, $"no answer within {Settings.ResolveTimeout.TotalMilliseconds} ms");
        }

        _open.Clear();
        EndRound();
    }

    private void Fail(int index, string error)
    {
        _failed = true;
        _names.OnUnresolved(index, error, Retry);
    }

    private void EndAsking()
    {
        _asking?.Cancel();
        _asking?.Dispose();
        _asking = null;
    }

    private void EndRound()
    {
        EndAsking();
        _names.Group.EndFirstRound();
        Timers.StartSingleTimer(Timer, BeginRound.Instance, _failed ? Retry : Settings.ResolveInterval);
    }

    private sealed class BeginRound
    {
        public static readonly BeginRound Instance = new();
    }

    private sealed record RoundTimeout(long Round);

    private sealed record Answer(long Round, int Index, IPAddress[] Addresses, string Error);
}

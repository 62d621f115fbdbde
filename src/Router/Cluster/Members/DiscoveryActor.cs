using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Cluster.Members;

/// <summary>Asks a source for the other members, and them to be let in, until this one is in; then it renews what the
/// source knows of it. Its source is its own.</summary>
internal sealed class DiscoveryActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookTimeout = TimeSpan.FromSeconds(10);

    private readonly IMemberSource _source;
    private readonly Action<IReadOnlyList<ClusterAddress>, bool> _join;
    private readonly TimeSpan _retryMax;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _end = new();
    private MemberLook? _last;
    private TimeSpan _retry = FirstRetry;
    private string? _error;
    private bool _isMember;

    /// <param name="source">Disposed of at the end.</param>
    /// <param name="join">Given whom to ask and whether to begin a cluster if nobody answers; may be called again while
    /// nobody has.</param>
    /// <param name="retryMax">The longest time between two looks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    public DiscoveryActor(
        IMemberSource source, Action<IReadOnlyList<ClusterAddress>, bool> join, TimeSpan retryMax, TimeProvider time,
        ILogger log)
    {
        (_source, _join, _retryMax, _time, _log) = (source, join, retryMax, time, log);
        Receive<Look>(_ => OnLook());
        Receive<MemberLook>(OnLooked);
        Receive<Failed>(OnFailed);
        Receive<Joined>(_ => OnJoined());
        Receive<Leave>(_ => OnLeave());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(
        IMemberSource source, Action<IReadOnlyList<ClusterAddress>, bool> join, TimeSpan retryMax, TimeProvider time,
        ILogger log) => Props.Create<DiscoveryActor>(source, join, retryMax, time, log);

    protected override void PreStart() => Self.Tell(new Look());

    protected override void PostStop()
    {
        _end.Cancel();
        _end.Dispose();
        _ = DisposeAsync(_source);
    }

    private static async Task DisposeAsync(IMemberSource source) => await source.DisposeAsync().ConfigureAwait(false);

    private void OnLook() => _ = LookAsync(_isMember).PipeTo(Self, failure: static e => new Failed(e));

    private async Task<MemberLook> LookAsync(bool isMember)
    {
        using var limit = new CancellationTokenSource(LookTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _end.Token);
        return await _source.LookAsync(isMember, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
    }

    private void OnLooked(MemberLook look)
    {
        if (_error is not null)
        {
            _error = null;
            ClusterLog.DiscoveryWorks(_log, _source.Name);
        }

        if (!_isMember && !look.IsSame(_last))
        {
            _last = look;
            _retry = FirstRetry;
            _join(look.Others, look.MayBegin);
        }

        LookAgain();
    }

    private void OnFailed(Failed failed)
    {
        var error = LineText.Escape(failed.Cause.GetBaseException() is OperationCanceledException
            ? $"no answer within {LookTimeout.TotalSeconds} s"
            : failed.Cause.GetBaseException().Message.Split('\n')[0]);
        if (error != _error)
        {
            _error = error;
            ClusterLog.DiscoveryFailed(_log, _source.Name, error, (long)NextLook().TotalMilliseconds);
        }

        LookAgain();
    }

    private void OnJoined()
    {
        if (_isMember)
        {
            return;
        }

        _isMember = true;
        if (_source.RenewEvery is null)
        {
            Context.Stop(Self);
        }
        else
        {
            Timers.Cancel(nameof(Look));
            Self.Tell(new Look());
        }
    }

    private void OnLeave()
    {
        Timers.CancelAll();
        Become(() => ReceiveAny(static _ => { }));
        _ = _source.LeaveAsync(_end.Token).PipeTo(Sender, success: static () => Akka.Done.Instance);
    }

    private TimeSpan NextLook() => _isMember ? _source.RenewEvery!.Value : _retry;

    /// <summary>While this member waits to be let in, twice as long each time, up to the limit.</summary>
    private void LookAgain()
    {
        Timers.StartSingleTimer(nameof(Look), new Look(), NextLook());
        _retry = _retry * 2 < _retryMax ? _retry * 2 : _retryMax;
    }

    /// <summary>This member is in the cluster.</summary>
    internal sealed record Joined;

    /// <summary>It leaves in order; answered by <see cref="Akka.Done"/>.</summary>
    internal sealed record Leave;

    private sealed record Look;

    private sealed record Failed(Exception Cause);
}

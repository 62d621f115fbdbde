using Akka.Cluster;
using Akka.Remote;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>A question to another member: do you take me for a member?</summary>
/// <param name="Sent">By the fence's clock of who asks.</param>
/// <param name="From">The uid of who asks.</param>
/// <param name="To">The uid of who is asked: one that has been started anew is another member.</param>
internal sealed record FencePing(long Sent, int From, int To) : IClusterMessage, IDeadLetterSuppression;

/// <summary>The answer, which is a promise: before <paramref name="Sent"/> and the fence's time-out are over, nobody
/// has the place of who asked. Who does not take the other for a member says nothing.</summary>
/// <param name="Sent">As asked.</param>
/// <param name="From">The uid of who answers.</param>
/// <param name="To">The uid of who has asked.</param>
internal sealed record FenceEcho(long Sent, int From, int To) : IClusterMessage, IDeadLetterSuppression;

/// <summary>Asks the other members with listeners, answers them, and keeps the fence by what they say.</summary>
/// <remarks>On a thread of its own, so that neither sessions nor the pool keep it waiting.</remarks>
internal sealed class FenceActor : ReceiveActor, IWithTimers
{
    /// <summary>Below /user.</summary>
    public const string Name = "router-fence";

    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly IActorRefProvider _provider = ((ExtendedActorSystem)Context.System).Provider;
    private readonly Dictionary<UniqueAddress, IActorRef> _others = [];
    private readonly FenceKeeper _keeper;

    public FenceActor(FenceKeeper keeper)
    {
        _keeper = keeper;
        Receive<Tick>(_ => Ask());
        Receive<FencePing>(OnPing);
        Receive<FenceEcho>(OnEcho);
        Receive<ThisActorSystemQuarantinedEvent>(said => _keeper.OnQuarantined(said.RemoteAddress));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(FenceKeeper keeper) =>
        Props.Create<FenceActor>(keeper).WithDispatcher(ClusterSettings.OwnThread);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.Zero, Interval);
    }

    private static bool Counts(Member member) =>
        member.HasRole(ClusterSettings.Role) && member.Status is not (MemberStatus.Down or MemberStatus.Removed);

    private static FenceStanding StandingOf(Member member) => member.Status switch
    {
        MemberStatus.Joining or MemberStatus.WeaklyUp => FenceStanding.Joining,
        MemberStatus.Exiting => FenceStanding.Exiting,
        _ => FenceStanding.Member,
    };

    private void Ask()
    {
        _keeper.Look(
        [
            .. _cluster.State.Members.Where(Counts)
                .Select(static member => new FenceVoter(member.UniqueAddress, StandingOf(member))),
        ]);
        if (_keeper.IsOut)
        {
            _cluster.Down(_keeper.Self.Address);
        }

        foreach (var gone in _others.Keys.Except(_keeper.Others).ToList())
        {
            _others.Remove(gone);
        }

        foreach (var other in _keeper.Others)
        {
            if (!_others.TryGetValue(other, out var actor))
            {
                var path = new RootActorPath(other.Address) / Self.Path.Elements;
                _others[other] = actor = _provider.ResolveActorRef(path.ToString());
            }

            actor.Tell(new FencePing(_keeper.Now, _keeper.Self.Uid, other.Uid));
        }
    }

    private void OnPing(FencePing ping)
    {
        var from = new UniqueAddress(Sender.Path.Address, ping.From);
        if (ping.To == _keeper.Self.Uid && _keeper.MayAnswer() && IsTrusted(from))
        {
            Sender.Tell(new FenceEcho(ping.Sent, ping.To, ping.From));
        }
    }

    /// <summary>Whether it is a member that all members hear, as far as is known here. Where one does not, it may be
    /// about to give the other's place away: by this, all shut the other's fence.</summary>
    private bool IsTrusted(UniqueAddress other)
    {
        var state = _cluster.State;
        return state.Members.Any(member => member.UniqueAddress.Equals(_keeper.Self) && Counts(member))
            && state.Members.Any(member => member.UniqueAddress.Equals(other) && Counts(member))
            && !state.Unreachable.Any(member => member.UniqueAddress.Equals(other));
    }

    private void OnEcho(FenceEcho echo)
    {
        if (echo.To == _keeper.Self.Uid)
        {
            _keeper.Hear(new UniqueAddress(Sender.Path.Address, echo.From), echo.Sent);
        }
    }

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }
}

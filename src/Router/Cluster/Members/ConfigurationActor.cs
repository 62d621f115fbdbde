using Akka.Cluster;
using Router.Configuration;
using static Akka.Cluster.ClusterEvent;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>Tells the other members with listeners what this one's configuration is, and hears what theirs is: when one
/// comes, after a reload, and now and then, since any message may be lost.</summary>
internal sealed class ConfigurationActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly IActorRefProvider _provider = ((ExtendedActorSystem)Context.System).Provider;
    private readonly HashSet<Address> _others = [];
    private readonly ConfigurationAgreement _agreement;

    public ConfigurationActor(ConfigurationAgreement agreement)
    {
        _agreement = agreement;
        Receive<ConfigurationPrint>(OnOwn);
        Receive<ConfigurationTold>(OnTold);
        Receive<MemberUp>(up => OnUp(up.Member));
        Receive<MemberRemoved>(removed => OnRemoved(removed.Member));
        Receive<Tick>(_ => TellAll());
        Receive<IMemberEvent>(static _ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(ConfigurationAgreement agreement) => Props.Create<ConfigurationActor>(agreement);

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent));
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, Interval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnOwn(ConfigurationPrint own)
    {
        _agreement.Set(own);
        TellAll();
    }

    /// <summary>One of a program that is no member any more says nothing of the cluster.</summary>
    private void OnTold(ConfigurationTold told)
    {
        if (_others.Contains(Sender.Path.Address))
        {
            _agreement.Hear(Sender.Path.Address, told);
        }
    }

    private void OnUp(Member member)
    {
        if (member.HasRole(ClusterSettings.Role) && !member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
        {
            _others.Add(member.Address);
            Tell(member.Address);
        }
    }

    private void OnRemoved(Member member)
    {
        _others.Remove(member.Address);
        _agreement.Forget(member.Address);
    }

    private void TellAll()
    {
        foreach (var other in _others)
        {
            Tell(other);
        }
    }

    private void Tell(Address other)
    {
        if (_agreement.Own is { } own)
        {
            _provider.ResolveActorRef(new RootActorPath(other) / Self.Path.Elements).Tell(own, Self);
        }
    }

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }
}

using Router.Cluster.Identities;
using Router.Sessions;

namespace Router.Tests.Cluster.Simulation;

/// <summary>A member's hub: the product's logic.</summary>
internal sealed class SimHub : IHubWorld
{
    private readonly SimCluster _cluster;
    private readonly SimProcess _process;
    private readonly HashSet<SessionId> _detached = [];

    public SimHub(SimCluster cluster, SimProcess process)
    {
        (_cluster, _process) = (cluster, process);
        State = new HubState(this);
        Ref = new SimRef(process.Unique.Address, "hub", this);
    }

    public HubState State { get; }

    public SimRef Ref { get; }

    public SimProcess Process => _process;

    public TimeSpan Now => _cluster.Clock.Now;

    public Place Place => _process.Place;

    public bool MayRemovedSend => _process.Members.MayRemovedSend && _cluster.Planted != Planted.GoneTooEarly;

    /// <summary>From an entity.</summary>
    public void Receive(IToHub message, Address at)
    {
        _cluster.History.Log($"{_process} hub <- {SimHistory.Describe(message)}");
        switch (_cluster.Planted)
        {
            case Planted.HubReleasesAtOnce when message is Supersede supersede:
                ToIdentity(new Detach(supersede.Identity, supersede.Session, 0, default));
                break;
            case Planted.PassedTwice when message is Pass && _cluster.Random.Next(10) == 0:
                State.On(message, at);
                break;
            default:
                break;
        }

        State.On(message, at);
    }

    public void ToIdentity(IToIdentity message)
    {
        if (message is Detach detach)
        {
            if (_cluster.Planted == Planted.DetachNotToldAgain && !_detached.Add(detach.Session))
            {
                return;
            }

            if (_cluster.Planted == Planted.LastCheckpointForgotten)
            {
                message = detach with { State = default };
            }
        }
        else if (message is Undelivered returned)
        {
            _cluster.History.OnReturned(returned.What);
        }

        _process.Region.Route(message, Ref);
    }

    public void ToSession(IActorRef session, IdentityMessage message, IActorRef? sender)
    {
        var target = (SimSession)((SimRef)session).Target;
        _cluster.Network.Local(_process, (this, target), () => target.OnMessage(message));
    }

    public void CountLostDetach() => _cluster.History.Log($"{_process} a lost detach");
}

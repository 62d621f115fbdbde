using Router.Cluster.Members;
using Router.TestKit;
using Router.Tests.Diagnostics;
using static Router.Tests.Cluster.Members.ClusterStandingTests;

namespace Router.Tests.Cluster.Members;

/// <summary>The actor that looks for a second cluster, with probes for other members.</summary>
public sealed class SecondClusterActorTests : RouterActorTestKit
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(60);

    private readonly LineLogger _log = new("Router", isText: true);
    private readonly TestProbe _other;
    private readonly IActorRef _actor;
    private readonly List<Address> _asked = [];
    private ClusterView _view = ViewOf(At(1), At(1));
    private int _ends;

    public SecondClusterActorTests()
        : base(seed: 1)
    {
        _other = CreateTestProbe("other");
        var seeds = new AskedSeeds { Addresses = [At(1), At(2), At(3)] };
        _actor = Sys.ActorOf(SecondClusterActor.PropsOf(At(1), seeds, () => _view, ActorAt, () => _ends++, _log));
    }

    [Fact]
    public void Seeds_that_are_no_members_are_asked_ever_more_rarely_until_members_change()
    {
        _view = ViewOf(At(1), At(1), At(3));
        Kit.Advance(TimeSpan.FromSeconds(15));   // after 2, 4, 8 s
        Assert.Equal([At(2), At(2), At(2)], _asked);
        Assert.Equal(new ClusterStanding(ClusterStandingKind.Question, 2, 60_000), _other.ExpectMsg<ClusterStanding>());

        _asked.Clear();
        Kit.Advance(TimeSpan.FromMinutes(10));
        Assert.InRange(_asked.Count, 18, 21);    // every 32 s

        _asked.Clear();
        _view = ViewOf(At(1), At(1));
        Kit.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([At(2), At(3)], _asked.Order(Akka.Cluster.Member.AddressOrdering));
    }

    [Fact]
    public void Nobody_is_asked_while_all_are_members_or_one_is_not_heard_of_or_another_member_is_older()
    {
        foreach (var view in new[]
        {
            ViewOf(At(1), At(1), At(2), At(3)),
            ViewOf(At(1), At(1)) with { IsSettled = false },
            ViewOf(At(2), At(1), At(2)),
            ViewOf(At(1), At(1)) with { Oldest = null },
        })
        {
            _view = view;
            Kit.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Empty(_asked);
    }

    [Fact]
    public void An_older_cluster_is_answered_and_this_one_ends()
    {
        Tell(new ClusterStanding(ClusterStandingKind.Question, 1, 90_000));

        Assert.Equal(ClusterStandingKind.Answer, _other.ExpectMsg<ClusterStanding>().Kind);
        Assert.Equal(1, _ends);
        Assert.Contains("second-cluster", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Contains("ends", _log.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void To_a_younger_one_this_one_says_what_it_is_and_goes_on()
    {
        Tell(new ClusterStanding(ClusterStandingKind.Forwarded, 5, 1_000));
        Assert.Equal(
            new ClusterStanding(ClusterStandingKind.Answer, 1, 60_000), _other.ExpectMsg<ClusterStanding>());
        Tell(new ClusterStanding(ClusterStandingKind.Answer, 5, 1_000));

        _other.ExpectNoMsg(TimeSpan.Zero);
        Assert.Equal(0, _ends);
        Assert.All(_log.Lines, static line => Assert.Contains("goes on", line, StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_member_tells_and_what_is_told_while_one_is_not_heard_of_changes_nothing()
    {
        var older = new ClusterStanding(ClusterStandingKind.Question, 9, 900_000);
        _view = ViewOf(At(1), At(1), _other.Ref.Path.Address);
        Tell(older);
        _view = ViewOf(At(1), At(1)) with { IsSettled = false };
        Tell(older);

        _other.ExpectNoMsg(TimeSpan.Zero);
        Assert.Equal(0, _ends);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_question_goes_on_to_the_oldest_member_once()
    {
        _view = ViewOf(At(2), At(1), At(2));
        Tell(new ClusterStanding(ClusterStandingKind.Question, 9, 900_000));
        Assert.Equal([At(2)], _asked);
        Assert.Equal(
            new ClusterStanding(ClusterStandingKind.Forwarded, 9, 900_000), _other.ExpectMsg<ClusterStanding>());

        Tell(new ClusterStanding(ClusterStandingKind.Forwarded, 9, 900_000));
        Tell(new ClusterStanding(ClusterStandingKind.Answer, 9, 900_000));
        _other.ExpectNoMsg(TimeSpan.Zero);
        Assert.Equal(0, _ends);
    }

    private static ClusterView ViewOf(Address oldest, params Address[] members) =>
        new(members.ToHashSet(), oldest, members.Length, IsSettled: true, Age);

    private IActorRef ActorAt(Address address)
    {
        _asked.Add(address);
        return _other.Ref;
    }

    private void Tell(ClusterStanding told)
    {
        _actor.Tell(told, _other.Ref);
        Kit.RunUntilIdle();
    }
}

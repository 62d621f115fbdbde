using Router.Cluster.Identities;
using Router.TestKit;

namespace Router.Tests.Cluster;

public sealed class RestingIdentitiesTests
{
    [Fact]
    public void Who_rests_is_woken_once_when_its_time_has_come_unless_it_was_removed()
    {
        using var kit = new RouterTestKit();
        var resting = new RestingIdentities(kit.Time);
        var (woken, removed) = (new List<object>(), new List<object>());
        resting.Add(Listener(kit, woken), TimeSpan.FromMinutes(1), number: 7);
        var other = Listener(kit, removed);
        resting.Add(other, TimeSpan.FromMinutes(1), number: 8);
        resting.Remove(other);

        kit.Advance(TimeSpan.FromSeconds(59));
        resting.Look();
        kit.RunUntilIdle();
        Assert.Empty(woken);

        kit.Advance(TimeSpan.FromSeconds(1));
        resting.Look();
        resting.Look();
        kit.RunUntilIdle();
        Assert.Equal(new WakeEntity(7), Assert.Single(woken));
        Assert.Empty(removed);
        Assert.Equal(0, resting.Count);
    }

    private static IActorRef Listener(RouterTestKit kit, List<object> heard) =>
        kit.Sys.ActorOf(Props.Create(() => new Hearer(heard)));

    private sealed class Hearer : ReceiveActor
    {
        public Hearer(List<object> heard) => ReceiveAny(heard.Add);
    }
}

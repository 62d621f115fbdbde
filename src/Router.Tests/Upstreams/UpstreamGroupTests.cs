using System.Net;
using Router.Net;
using Router.TestKit.Simulation;
using Router.Upstreams;

namespace Router.Tests.Upstreams;

public sealed class UpstreamGroupTests
{
    private static readonly SocketAddr Peer = SocketAddr.From(IPEndPoint.Parse("192.0.2.1:4000"));

    private readonly VirtualTimeProvider _time = new();

    [Fact]
    public void Sessions_are_counted_from_pick_to_return()
    {
        var group = Group("10.0.0.1:53", "10.0.0.2:53");

        var one = group.Pick(PickPolicy.LeastSessions, Peer, [])!;
        var two = group.Pick(PickPolicy.LeastSessions, Peer, [])!;

        Assert.NotSame(one, two);
        Assert.Equal(1, one.Sessions);
        one.Return();
        Assert.Equal(0, one.Sessions);
        Assert.Same(one, group.Pick(PickPolicy.LeastSessions, Peer, []));
    }

    [Theory]
    [InlineData(PickPolicy.RoundRobin)]
    [InlineData(PickPolicy.LeastSessions)]
    public void Ten_new_sessions_are_spread_five_and_five(object thePolicy)
    {
        var policy = (PickPolicy)thePolicy;
        var group = Group("10.0.0.1:53", "10.0.0.2:53");
        for (var i = 0; i < 10; i++)
        {
            group.Pick(policy, Peer, []);
        }

        Assert.Equal([5, 5], group.Current.Upstreams.ToArray().Select(upstream => upstream.Sessions));
    }

    [Fact]
    public void Hash_goes_by_the_address_and_not_by_the_port_or_its_spelling()
    {
        var group = Group([.. Enumerable.Range(1, 16).Select(i => $"10.0.0.{i}:53")]);
        for (var i = 1; i < 100; i++)
        {
            var plain = Pick($"192.0.2.{i}:1000");

            Assert.Same(plain, Pick($"192.0.2.{i}:{2000 + i}"));
            Assert.Same(plain, group.Pick(
                PickPolicy.Hash, SocketAddr.From(IPEndPoint.Parse($"192.0.2.{i}:1000")).MapToIPv6(), []));
        }

        Upstream Pick(string peer) => group.Pick(PickPolicy.Hash, SocketAddr.From(IPEndPoint.Parse(peer)), [])!;
    }

    [Fact]
    public void What_was_tried_is_not_picked_again_and_then_none_is_left()
    {
        var group = Group("10.0.0.1:53", "10.0.0.2:53");
        var one = group.Pick(PickPolicy.RoundRobin, Peer, [])!;
        for (var i = 0; i < 5; i++)
        {
            Assert.NotSame(one, group.Pick(PickPolicy.RoundRobin, Peer, [one]));
        }

        Assert.Null(group.Pick(PickPolicy.RoundRobin, Peer, group.Current.Upstreams));
    }

    [Fact]
    public void A_failed_upstream_is_avoided_for_its_time_but_taken_when_it_is_the_last()
    {
        var group = Group("10.0.0.1:53", "10.0.0.2:53");
        var (one, two) = (group.Current.Upstreams[0], group.Current.Upstreams[1]);
        group.MarkFailed(one);

        for (var i = 0; i < 10; i++)
        {
            Assert.Same(two, group.Pick(PickPolicy.LeastSessions, Peer, []));
        }

        Assert.Same(one, group.Pick(PickPolicy.LeastSessions, Peer, [two]));
        _time.Advance(TimeSpan.FromMilliseconds(9_999));
        Assert.Same(two, group.Pick(PickPolicy.LeastSessions, Peer, []));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Same(one, group.Pick(PickPolicy.LeastSessions, Peer, []));
    }

    [Fact]
    public void A_fail_timeout_of_zero_avoids_nobody()
    {
        var group = new UpstreamGroup(
            TestUpstreams.Settings("10.0.0.1:53") with { FailTimeout = TimeSpan.Zero }, _time);
        _ = new UpstreamNames(group, _ => false, new UpstreamRecords());
        group.MarkFailed(group.Current.Upstreams[0]);

        Assert.False(group.Current.Upstreams[0].HasFailed(_time));
    }

    [Fact]
    public void A_group_without_upstreams_picks_none()
    {
        var group = new UpstreamGroup(TestUpstreams.Settings("unresolved.test:53"), _time);

        Assert.All(Enum.GetValues<PickPolicy>(), policy => Assert.Null(group.Pick(policy, Peer, [])));
    }

    [Fact]
    public void Picking_allocates_nothing()
    {
        var group = Group([.. Enumerable.Range(1, 64).Select(i => $"10.0.0.{i}:53")]);
        PickAll(1_000);

        Assert.Equal(0, Allocations.Of(() => PickAll(1_000)));

        void PickAll(int times)
        {
            for (var i = 0; i < times; i++)
            {
                group.Pick(PickPolicy.RoundRobin, Peer, [])!.Return();
                group.Pick(PickPolicy.LeastSessions, Peer, [])!.Return();
                group.Pick(PickPolicy.Hash, Peer, [])!.Return();
            }
        }
    }

    private UpstreamGroup Group(params string[] targets) => TestUpstreams.Group(_time, targets);
}

using System.Net;
using Router.Net;
using Router.TestKit;
using Router.Upstreams;

namespace Router.Tests.Upstreams;

public sealed class UpstreamGroupActorTests : IDisposable
{
    private static readonly SocketAddr Peer = SocketAddr.From(IPEndPoint.Parse("192.0.2.1:4000"));
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly RouterTestKit _kit = new(seed: 1);
    private readonly ScriptedResolver _resolver = new();
    private readonly UpstreamRecords _records = new();
    private readonly HashSet<string> _own = [];

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void Literals_are_there_at_once_and_nobody_is_asked()
    {
        var group = Start("10.0.0.1:53", "[2001:db8::1]:53", "[::ffff:10.0.0.2]:53");
        _kit.Advance(Interval * 3);

        Assert.True(group.Ready.IsCompletedSuccessfully);
        Assert.Equal(["10.0.0.1:53", "[2001:db8::1]:53", "10.0.0.2:53"], Endpoints(group));
        Assert.Equal(0, _resolver.Asked);
        Assert.Empty(_records.Lines);
    }

    [Fact]
    public void A_name_with_several_addresses_is_several_upstreams()
    {
        _resolver.Names["a.test"] = ["10.0.0.9", "10.0.0.3"];
        var group = Start("a.test:53", "10.0.0.1:53");

        Assert.True(group.Ready.IsCompletedSuccessfully);
        Assert.Equal(["10.0.0.3:53", "10.0.0.9:53", "10.0.0.1:53"], Endpoints(group));
        Assert.Equal(["web: a.test:53 = 10.0.0.3:53 10.0.0.9:53"], _records.Lines);
    }

    [Fact]
    public void Two_targets_that_lead_to_one_endpoint_are_one_upstream()
    {
        _resolver.Names["a.test"] = ["10.0.0.1"];

        Assert.Equal(["10.0.0.1:53"], Endpoints(Start("10.0.0.1:53", "a.test:53")));
    }

    [Fact]
    public void Names_are_asked_again_after_the_interval_and_changes_published()
    {
        _resolver.Names["a.test"] = ["10.0.0.1", "10.0.0.2"];
        var group = Start("a.test:53");
        var kept = group.Current.Upstreams[1];
        _resolver.Names["a.test"] = ["10.0.0.3", "10.0.0.2"];

        _kit.Advance(Interval - TimeSpan.FromMilliseconds(1));
        Assert.Equal(["10.0.0.1:53", "10.0.0.2:53"], Endpoints(group));
        _kit.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(["10.0.0.2:53", "10.0.0.3:53"], Endpoints(group));
        Assert.Same(kept, group.Current.Upstreams[0]);
        Assert.Equal(2, _records.Lines.Count);
    }

    [Fact]
    public void The_same_addresses_in_another_order_are_no_change()
    {
        _resolver.Names["a.test"] = ["10.0.0.1", "10.0.0.2"];
        var group = Start("a.test:53");
        var snapshot = group.Current;
        _resolver.Names["a.test"] = ["10.0.0.2", "10.0.0.1"];
        _kit.Advance(Interval * 2);

        Assert.Same(snapshot, group.Current);
        Assert.Equal(3, _resolver.Asked);
        Assert.Single(_records.Lines);
    }

    [Fact]
    public void A_failure_keeps_the_last_answer_is_written_down_once_and_asked_again_sooner()
    {
        _resolver.Names["a.test"] = ["10.0.0.1"];
        var group = Start("a.test:53");
        var snapshot = group.Current;
        _resolver.Names.Clear();
        _kit.Advance(Interval);
        var asked = _resolver.Asked;
        _kit.Advance(TimeSpan.FromSeconds(20));

        Assert.Same(snapshot, group.Current);
        Assert.Equal(asked + 4, _resolver.Asked);
        Assert.Equal(["web: a.test:53 unresolved: a.test is unknown; 1 kept, again in 5 s"], _records.Lines.Skip(1));

        _resolver.Names["a.test"] = ["10.0.0.1"];
        _kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("web: a.test:53 = 10.0.0.1:53", _records.Lines[^1]);
        Assert.Equal(3, _records.Lines.Count);
    }

    [Fact]
    public void An_answer_without_an_address_is_a_failure()
    {
        _resolver.Names["a.test"] = [];
        var group = Start("a.test:53");

        Assert.True(group.Ready.IsCompletedSuccessfully);
        Assert.Empty(Endpoints(group));
        Assert.Contains("the answer holds no address; 0 kept", Assert.Single(_records.Lines));
    }

    [Fact]
    public void A_group_without_an_upstream_is_ready_when_its_names_have_been_asked()
    {
        _resolver.Silent.Add("silent.test");
        var group = Start("silent.test:53");
        _kit.Advance(TimeSpan.FromMilliseconds(4_999));
        Assert.False(group.Ready.IsCompleted);

        _kit.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(group.Ready.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_resolver_that_never_answers_delays_the_start_by_the_time_out_and_no_other_name()
    {
        _resolver.Names["a.test"] = ["10.0.0.1"];
        _resolver.Silent.Add("silent.test");
        var group = Start("silent.test:53", "a.test:53");

        Assert.Equal(["10.0.0.1:53"], Endpoints(group));
        Assert.True(group.Ready.IsCompletedSuccessfully);
        _kit.Advance(TimeSpan.FromSeconds(5));

        Assert.Contains("silent.test:53 unresolved: no answer within 5000 ms", _records.Lines[^1]);

        _resolver.Silent.Clear();
        _resolver.Names["silent.test"] = ["10.0.0.7"];
        _kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["10.0.0.7:53", "10.0.0.1:53"], Endpoints(group));
    }

    [Fact]
    public void An_endpoint_that_is_our_own_listener_is_left_off_and_written_down_once()
    {
        _own.Add("127.0.0.1:53");
        _resolver.Names["a.test"] = ["127.0.0.1", "10.0.0.1"];
        var group = Start("a.test:53", "[::ffff:127.0.0.1]:53");
        _resolver.Names["a.test"] = ["127.0.0.1", "10.0.0.2"];
        _kit.Advance(Interval);

        Assert.Equal(["10.0.0.2:53"], Endpoints(group));
        Assert.Single(_records.Lines, line => line.Contains("is own 127.0.0.1:53"));
    }

    [Fact]
    public void Upstreams_beyond_the_limit_are_left_off_and_written_down_once()
    {
        _resolver.Names["a.test"] = [.. Enumerable.Range(0, 300).Select(i => $"10.0.{i >> 8}.{i & 255}")];
        var group = Start("a.test:53");

        Assert.Equal(UpstreamSnapshot.UpstreamsMax, group.Current.Upstreams.Length);
        Assert.Single(_records.Lines, "web: a.test:53 beyond 256");
    }

    [Fact]
    public void An_endpoint_that_comes_back_while_sessions_are_on_it_keeps_its_count()
    {
        _resolver.Names["a.test"] = ["10.0.0.1"];
        var group = Start("a.test:53");
        var held = group.Pick(PickPolicy.RoundRobin, Peer, [])!;
        _resolver.Names["a.test"] = ["10.0.0.2"];
        _kit.Advance(Interval);
        Assert.Equal(["10.0.0.2:53"], Endpoints(group));

        _resolver.Names["a.test"] = ["10.0.0.1"];
        _kit.Advance(Interval);

        Assert.Same(held, group.Current.Upstreams[0]);
        Assert.Equal(1, group.Current.Upstreams[0].Sessions);
    }

    [Fact]
    public void Whoever_waits_for_the_first_resolution_is_released_when_the_actor_stops()
    {
        _resolver.Silent.Add("silent.test");
        var group = Start("silent.test:53");
        _kit.Stop();

        Assert.True(group.Ready.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_restarted_actor_forgets_no_answer()
    {
        _resolver.Names["a.test"] = ["10.0.0.1"];
        var group = Start(out var actor, "a.test:53");
        _resolver.Names.Clear();
        actor.Tell(Kill.Instance, ActorRefs.NoSender);
        _kit.RunUntilIdle();

        Assert.Equal(["10.0.0.1:53"], Endpoints(group));
    }

    private UpstreamGroup Start(params string[] targets) => Start(out _, targets);

    private UpstreamGroup Start(out IActorRef actor, params string[] targets)
    {
        var group = new UpstreamGroup(TestUpstreams.Settings(targets), _kit.Time);
        var names = new UpstreamNames(group, address => _own.Contains(address.ToString()), _records);
        actor = _kit.Sys.ActorOf(UpstreamGroupActor.PropsFor(names, _resolver), "web");
        _kit.RunUntilIdle();
        return group;
    }

    private static IEnumerable<string> Endpoints(UpstreamGroup group) =>
        group.Current.Upstreams.ToArray().Select(upstream => upstream.Text);
}

using Router.Cluster.Members;
using Router.Configuration;
using Router.Running;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Cluster.Members;

public sealed class DiscoveryActorTests : IAsyncDisposable
{
    private static readonly ClusterAddress Other = new("10.0.0.9", 27200);

    private readonly VirtualTimeProvider _time = new();
    private readonly ActorSystem _system;
    private readonly LineLogger _log = new("Router");
    private readonly Source _source = new();
    private readonly List<(IReadOnlyList<ClusterAddress> Others, bool Begins)> _asked = [];

    public DiscoveryActorTests() => _system = ActorSystemSettings.Create("discovery", _time);

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Fact]
    public async Task Failing_looks_come_at_growing_intervals_and_are_said_once()
    {
        _source.Answer = () => throw new InvalidOperationException("no such name\nand more");
        var actor = Start();
        await AdvanceAsync(actor, TimeSpan.FromMinutes(1));

        // 250, 500, 1000, 2000, 4000 ms, and 5 s from then on.
        Assert.InRange(_source.Looks, 14, 18);
        var line = Assert.Single(_log.Lines);
        Assert.Contains("discovery-failed", line, StringComparison.Ordinal);
        Assert.DoesNotContain("and more", line, StringComparison.Ordinal);

        _source.Answer = static () => new MemberLook([Other], MayBegin: false);
        await AdvanceAsync(actor, TimeSpan.FromSeconds(6));
        Assert.Contains("discovery-works", _log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_are_asked_again_only_when_what_is_found_has_changed()
    {
        _source.Answer = static () => new MemberLook([Other], MayBegin: false);
        var actor = Start();
        await AdvanceAsync(actor, TimeSpan.FromSeconds(20));
        Assert.Single(_asked);

        _source.Answer = static () => new MemberLook([Other], MayBegin: true);
        await AdvanceAsync(actor, TimeSpan.FromSeconds(20));
        Assert.Equal([false, true], _asked.Select(static asked => asked.Begins));
    }

    [Fact]
    public async Task Once_in_a_source_that_needs_no_more_is_let_go()
    {
        _source.Answer = static () => new MemberLook([Other], MayBegin: false);
        var actor = Start();
        await AdvanceAsync(actor, TimeSpan.FromSeconds(1));
        var gone = actor.WatchAsync();

        actor.Tell(new DiscoveryActor.Joined());

        await gone.WaitAsync(TimeSpan.FromSeconds(10));
        await Functional.Until.TrueAsync(() => _source.IsDisposed, () => "the source is let go");
    }

    [Fact]
    public async Task Once_in_a_row_is_renewed_until_the_member_leaves()
    {
        _source.RenewEvery = TimeSpan.FromSeconds(2);
        _source.Answer = static () => new MemberLook([], MayBegin: true);
        var actor = Start();
        await AdvanceAsync(actor, TimeSpan.FromSeconds(1));
        actor.Tell(new DiscoveryActor.Joined());
        await AdvanceAsync(actor, TimeSpan.FromSeconds(20));
        Assert.InRange(_source.LooksOfMember, 9, 12);

        await actor.Ask<Akka.Done>(new DiscoveryActor.Leave());
        var looks = _source.Looks;
        await AdvanceAsync(actor, TimeSpan.FromSeconds(20));
        Assert.True(_source.HasLeft);
        Assert.Equal(looks, _source.Looks);
    }

    private IActorRef Start() => _system.ActorOf(DiscoveryActor.PropsOf(
        _source, (others, begins) => _asked.Add((others, begins)), TimeSpan.FromSeconds(5), _time, _log));

    /// <summary>In steps; after each the actor has done what was due: its timers fire in the step, the first answer
    /// says that it has looked, and the second that it has taken what it found.</summary>
    private async Task AdvanceAsync(IActorRef actor, TimeSpan time)
    {
        var step = TimeSpan.FromMilliseconds(250);
        await SettleAsync(actor);
        for (var passed = TimeSpan.Zero; passed < time; passed += step)
        {
            _time.Advance(step);
            await SettleAsync(actor);
        }
    }

    private static async Task SettleAsync(IActorRef actor)
    {
        await actor.Ask<ActorIdentity>(new Identify(0));
        await actor.Ask<ActorIdentity>(new Identify(0));
    }

    private sealed class Source : IMemberSource
    {
        public Func<MemberLook> Answer { get; set; } = static () => new MemberLook([], MayBegin: false);

        public string Name => "test";

        public TimeSpan? RenewEvery { get; set; }

        public int Looks { get; private set; }

        public int LooksOfMember { get; private set; }

        public bool HasLeft { get; private set; }

        public bool IsDisposed { get; private set; }

        public Task<MemberLook> LookAsync(bool isMember, CancellationToken end)
        {
            Looks++;
            LooksOfMember += isMember ? 1 : 0;
            return Task.FromResult(Answer());
        }

        public Task LeaveAsync(CancellationToken end)
        {
            HasLeft = true;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}

using System.Net;
using Router.Admin;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Kit;
using Router.Tests.Sessions;

namespace Router.Tests.Admin;

/// <summary>Many sessions are looked through while they move, and no loop waits for more than a slice.</summary>
public sealed class SessionSweepTests
{
    private long _lastAddress = 0x0a;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(SessionSweep.StepMs);

    [Fact]
    public async Task Of_200000_sessions_under_churn_each_that_stays_is_found_once_in_slices_of_a_millisecond()
    {
        const int many = 200_000, churn = 100;
        using var rig = new SessionRig(seed: 5);
        var open = new List<SessionContext>();
        Open(many);
        var stays = open.Select(static session => session.Id).ToHashSet();
        var sweeps = new SessionSweeps([rig.Loop], () => [rig.Shard], TimeProvider.System);
        var random = new Random(7);
        var steps = 0;

        var found = sweeps.FindAsync(SessionQuery.Of(static _ => null), CancellationToken.None);
        for (; sweeps.Slices.All == 0; steps++)
        {
            for (var i = 0; i < churn; i++)
            {
                var gone = random.Next(open.Count);
                stays.Remove(open[gone].Id);
                Assert.True(rig.Table.Remove(open[gone]));
                open[gone] = open[^1];
                open.RemoveAt(open.Count - 1);
            }

            Open(churn);
            rig.Time.Advance(Step);
            rig.Loop.RunOnce(block: false);
        }

        var ids = (await found).Select(static row => row.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Empty(stays.Except(ids));
        Assert.True(ids.Zip(ids.Skip(1)).All(static pair => pair.First.Low < pair.Second.Low));
        Assert.InRange(sweeps.Slices.All, many / SessionSweep.VisitsPerSlice, steps);
        // Some are late where others keep the processor busy: three in ten were with fifteen builds for two processors.
        Assert.InRange(sweeps.Slices.Late, 0, sweeps.Slices.All / 2);

        void Open(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var peer = SocketAddr.From(new IPAddress(_lastAddress++), 5_000);
                var session = rig.Session(peer);
                rig.Table.Add(rig.Table.HashOf(peer, default), session);
                open.Add(session);
            }
        }
    }

    [Fact]
    public void A_slice_ends_by_the_clock_and_the_next_one_goes_on_where_it_was()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(static () => new EchoHandler());
        for (var i = 0; i < 1_000; i++)
        {
            kit.UdpPeer($"192.0.2.1:{1_000 + i}", listener).Send("x"u8);
        }

        kit.RunUntilIdle();
        var clock = new Ticking();   // every look at it takes 0.1 ms
        var visited = new List<SessionContext>();
        var sweep = new SessionSweep(
            listener.Shards[0].Loop, listener.Shards,
            session =>
            {
                visited.Add(session);
                return true;
            },
            clock, CancellationToken.None);
        listener.Shards[0].Loop.Enqueue(sweep);

        kit.RunUntilIdle();
        Assert.Equal(255, visited.Count);   // the eighth look, every 32 visits, is behind 0.75 ms
        kit.Advance(Step);
        Assert.Equal(510, visited.Count);
        kit.Advance(3 * Step);
        Assert.Equal(1_000, visited.Distinct().Count());
        Assert.True(sweep.Done.IsCompletedSuccessfully);
        Assert.Equal(4, sweep.Slices);
        Assert.Equal(0, sweep.LateSlices);
    }

    [Fact]
    public async Task One_of_300000_sessions_is_found_by_its_id_in_two_slices_whatever_sweeps_go_on()
    {
        const int many = 300_000;
        using var rig = new SessionRig(seed: 5);
        var open = new SessionContext[many];
        for (var i = 0; i < many; i++)
        {
            var peer = SocketAddr.From(new IPAddress(_lastAddress++), 5_000);
            rig.Table.Add(rig.Table.HashOf(peer, default), open[i] = rig.Session(peer));
        }

        var sweeps = new SessionSweeps([rig.Loop], () => [rig.Shard], TimeProvider.System);
        var list = sweeps.FindAsync(SessionQuery.Of(static _ => null), CancellationToken.None);

        Assert.Same(open[^1], await FindAsync(open[^1].Id));
        Assert.Equal(1, sweeps.Slices.All);
        Assert.Same(open[0], await FindAsync(open[0].Id));
        Assert.Equal(3, sweeps.Slices.All);
        Assert.Null(await FindAsync(new SessionId(7, many + 1)));
        Assert.Null(await FindAsync(new SessionId(7, 1UL << 48)));   // of a loop that is not there
        Assert.Equal(5, sweeps.Slices.All);
        Assert.False(list.IsCompleted);

        async Task<SessionContext?> FindAsync(SessionId id)
        {
            var found = sweeps.WithAsync(id, static session => session, CancellationToken.None);
            for (var steps = 0; steps < 3; steps++)
            {
                rig.Loop.RunOnce(block: false);
                rig.Time.Advance(Step);
            }

            return await found;
        }
    }

    [Fact]
    public async Task More_requests_than_may_wait_are_turned_away()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(static () => new EchoHandler());
        var sweeps = new SessionSweeps([listener.Shards[0].Loop], () => listener.Shards, TimeProvider.System);
        var query = SessionQuery.Of(static _ => null);
        var waiting = Enumerable.Range(0, 16).Select(_ => sweeps.FindAsync(query, CancellationToken.None)).ToList();

        var fault = await Assert.ThrowsAsync<AdminFault>(() => sweeps.FindAsync(query, CancellationToken.None));

        Assert.Equal(503, fault.Status);
        while (!waiting.TrueForAll(static each => each.IsCompleted))
        {
            kit.Advance(Step);
        }

        Assert.Empty(await sweeps.FindSteppedAsync(query, kit, Step));
    }

    private sealed class Ticking : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 10_000;

        public override long GetTimestamp() => _now++;
    }
}

internal static class SteppedSweeps
{
    /// <summary>Finds, while the kit runs.</summary>
    public static async Task<List<SessionRow>> FindSteppedAsync(
        this SessionSweeps sweeps, SessionQuery query, RouterTestKit kit, TimeSpan step)
    {
        var found = sweeps.FindAsync(query, CancellationToken.None);
        while (!found.IsCompleted)
        {
            kit.Advance(step);
        }

        return await found;
    }
}

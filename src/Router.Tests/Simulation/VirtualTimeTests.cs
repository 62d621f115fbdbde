using Router.TestKit.Simulation;

namespace Router.Tests.Simulation;

public sealed class VirtualTimeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(30_000)]
    [InlineData(86_400_000)]
    [InlineData(3_000_000_007)]
    public void Time_elapsed_since_the_start_is_exact_to_the_tick(long milliseconds)
    {
        var clock = new VirtualTimeProvider();
        var start = clock.GetTimestamp();

        clock.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), clock.GetElapsedTime(start));
        Assert.NotEqual(TimeSpan.FromMilliseconds(milliseconds).Ticks, clock.GetTimestamp() - start);
    }

    [Fact]
    public void Timers_fire_in_order_of_their_times_while_the_clock_moves()
    {
        var clock = new VirtualTimeProvider();
        var fired = new List<(string Name, double AtMs)>();
        void Note(object? name) => fired.Add(((string)name!, clock.Elapsed.TotalMilliseconds));
        using var late = clock.CreateTimer(Note, "late", TimeSpan.FromMilliseconds(50), Timeout.InfiniteTimeSpan);
        using var often = clock.CreateTimer(
            Note, "often", TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20));
        using var moved = clock.CreateTimer(Note, "moved", TimeSpan.FromMilliseconds(10), Timeout.InfiniteTimeSpan);
        using var never = clock.CreateTimer(Note, "never", Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        moved.Change(TimeSpan.FromMilliseconds(45), Timeout.InfiniteTimeSpan);

        clock.Advance(TimeSpan.FromMilliseconds(60));
        often.Dispose();
        clock.Advance(TimeSpan.FromMilliseconds(60));

        Assert.Equal([("often", 20.0), ("often", 40.0), ("moved", 45.0), ("late", 50.0), ("often", 60.0)], fired);
        Assert.Null(clock.NextTimer);
    }

    [Fact]
    public async Task Timers_set_by_other_threads_while_the_clock_moves_fire_once_each()
    {
        const int Threads = 4;
        const int Each = 20_000;
        var clock = new VirtualTimeProvider();
        var fired = 0;
        var setters = Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                clock.CreateTimer(
                    _ => fired++, null, TimeSpan.FromMilliseconds(i % 7), Timeout.InfiniteTimeSpan);
            }
        }));
        var all = Task.WhenAll(setters);
        while (!all.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        await all;
        clock.Advance(TimeSpan.FromMilliseconds(7));

        Assert.Equal(Threads * Each, fired);
        Assert.Null(clock.NextTimer);
    }

    [Fact]
    public void The_same_seed_draws_the_same_numbers_and_another_seed_others()
    {
        static ulong[] Draw(ulong seed)
        {
            var random = new SeededRandom(seed);
            return [.. Enumerable.Range(0, 100).Select(_ => random.NextUInt64())];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.Empty(Draw(7).Intersect(Draw(8)));
    }

    [Fact]
    public void Draws_stay_within_their_limits_and_reach_them()
    {
        var random = new SeededRandom(3);
        var numbers = Enumerable.Range(0, 1_000).Select(_ => random.Next(5)).ToHashSet();
        var hits = Enumerable.Range(0, 10_000).Count(_ => random.Chance(0.25));

        Assert.Equal([0, 1, 2, 3, 4], numbers.Order());
        Assert.InRange(hits, 2_300, 2_700);
        Assert.False(random.Chance(0));
    }
}

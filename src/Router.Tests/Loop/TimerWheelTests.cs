using Router.Loop;

namespace Router.Tests.Loop;

public sealed class TimerWheelTests
{
    private const int SlotMs = TimerWheel.SlotMs;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Random_schedules_fire_as_a_sorted_list_would(int seed)
    {
        var random = new Random(seed);
        var clock = new Clock { NowMs = random.Next(100_000) };
        var wheel = new TimerWheel(clock.NowMs);
        var timers = Enumerable.Range(0, 200).Select(_ => new Mark(clock)).ToArray();
        for (var step = 0; step < 10_000; step++)
        {
            var timer = timers[random.Next(timers.Length)];
            switch (random.Next(10))
            {
                case 0:
                    wheel.Cancel(timer);
                    timer.Due = -1;
                    break;
                case < 6:
                    // Spans of every level: up to 2 s, 9 minutes, 37 hours, 400 days.
                    timer.Due = clock.NowMs + (long)(random.NextDouble() * (1L << random.Next(4, 36)));
                    wheel.Schedule(timer, timer.Due);
                    break;
                default:
                    clock.NowMs += random.Next(8) == 0 ? 1L << random.Next(0, 31) : random.Next(40);
                    wheel.Turn(clock.NowMs, int.MaxValue);
                    AssertAsTheReference(timers, clock.NowMs, wheel);
                    break;
            }
        }
    }

    [Fact]
    public void A_deadline_fires_never_early_and_at_most_one_slot_late()
    {
        foreach (var start in (long[])[0, 1, 7, 2047, 2048, 524_287, 524_288, 134_217_727, 134_217_728])
        {
            foreach (var delay in (long[])[0, 1, 7, 8, 9, 2039, 2040, 2047, 2048, 2049, 524_280, 524_288, 524_289])
            {
                var clock = new Clock { NowMs = start };
                var wheel = new TimerWheel(start);
                var timer = new Mark(clock) { Due = start + delay };
                wheel.Schedule(timer, timer.Due);
                clock.NowMs = Math.Max(start, timer.Due - 1);
                wheel.Turn(clock.NowMs, 1);
                Assert.True(delay == 0 || timer.FiredAt < 0, $"early: {start}+{delay}");
                for (; timer.FiredAt < 0; clock.NowMs++)
                {
                    Assert.True(clock.NowMs < timer.Due + SlotMs, $"late: {start}+{delay}");
                    wheel.Turn(clock.NowMs, 1);
                }
            }
        }
    }

    [Fact]
    public void Sleeping_as_long_as_told_meets_every_deadline_in_time()
    {
        var random = new Random(14);
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var timers = Enumerable.Range(0, 300).Select(_ => new Mark(clock)).ToArray();
        foreach (var timer in timers)
        {
            timer.Due = (long)(random.NextDouble() * (1 << random.Next(3, 28)));
            wheel.Schedule(timer, timer.Due);
        }

        var waits = 0;
        while (wheel.Count > 0)
        {
            var sleep = wheel.NextTurnMs(clock.NowMs);
            Assert.InRange(sleep, 0, 2048);
            clock.NowMs += sleep;
            wheel.Turn(clock.NowMs, int.MaxValue);
            waits++;
        }

        Assert.All(timers, timer => Assert.InRange(timer.FiredAt - timer.Due, 0, SlotMs - 1));
        Assert.True(waits < 300 + ((1 << 28) / 2048) + 10);
        Assert.Equal(-1, wheel.NextTurnMs(clock.NowMs));
    }

    [Fact]
    public void A_million_deadlines_at_once_fire_in_bounded_turns()
    {
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var timers = new Mark[1_000_000];
        for (var i = 0; i < timers.Length; i++)
        {
            timers[i] = new Mark(clock) { Due = 30_000 };
            wheel.Schedule(timers[i], 30_000);
        }

        clock.NowMs = 30_000;
        var turns = 0;
        while (wheel.Count > 0)
        {
            Assert.Equal(0, turns == 0 ? 0 : wheel.NextTurnMs(clock.NowMs));
            Assert.Equal(1000, wheel.Turn(clock.NowMs, 1000));
            turns++;
        }

        Assert.Equal(1000, turns);
        Assert.DoesNotContain(timers, timer => timer.FiredAt != 30_000);
    }

    [Fact]
    public void A_million_deadlines_of_one_upper_slot_come_down_in_bounded_turns()
    {
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var timers = new Mark[1_000_000];
        for (var i = 0; i < timers.Length; i++)
        {
            timers[i] = new Mark(clock) { Due = 30_000 + (i % 600) };
            wheel.Schedule(timers[i], timers[i].Due);
        }

        // The border at which their slot empties; nothing is due yet.
        clock.NowMs = 29_000 / 2048 * 2048;
        var turns = 1;
        for (; wheel.IsBehind || turns == 1; turns++)
        {
            Assert.Equal(0, wheel.Turn(clock.NowMs, int.MaxValue));
        }

        Assert.InRange(turns, timers.Length / TimerWheel.MovesPerTurn, int.MaxValue);
        Assert.InRange(wheel.NextTurnMs(clock.NowMs), 1, 2048);
        clock.NowMs = 31_000;
        while (wheel.Count > 0)
        {
            wheel.Turn(clock.NowMs, int.MaxValue);
        }

        Assert.DoesNotContain(timers, timer => timer.FiredAt != 31_000);
    }

    [Fact]
    public void A_timer_may_schedule_itself_again_cancel_others_and_be_moved()
    {
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var victim = new Mark(clock) { Due = 16 };
        var moved = new Mark(clock) { Due = 500 };
        var again = new Mark(clock) { Due = 16 };
        wheel.Schedule(again, 16);
        wheel.Schedule(victim, 16);
        wheel.Schedule(moved, 16);
        wheel.Schedule(moved, 500);
        again.OnFired = () =>
        {
            wheel.Cancel(victim);
            wheel.Cancel(victim);
            wheel.Schedule(again, clock.NowMs + 8);
            again.OnFired = null;
        };
        Assert.Equal(3, wheel.Count);

        clock.NowMs = 20;
        Assert.Equal(1, wheel.Turn(20, 100));
        Assert.Equal(-1, victim.FiredAt);
        Assert.False(victim.IsArmed);
        clock.NowMs = 32;
        Assert.Equal(1, wheel.Turn(32, 100));
        clock.NowMs = 504;
        Assert.Equal(1, wheel.Turn(504, 100));
        Assert.Equal(504, moved.FiredAt);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_timer_that_is_always_due_does_not_hold_up_a_turn()
    {
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var endless = new Mark(clock);
        endless.OnFired = () => wheel.Schedule(endless, 0);
        wheel.Schedule(endless, 0);

        Assert.Equal(50, wheel.Turn(0, 50));
        Assert.True(endless.IsArmed);
    }

    [Fact]
    public void A_deadline_of_never_stays_armed()
    {
        var clock = new Clock();
        var wheel = new TimerWheel(0);
        var never = new Mark(clock);
        wheel.Schedule(never, long.MaxValue);

        Assert.Equal(0, wheel.Turn(TimeSpan.MillisecondsPerDay * 40, 10));
        Assert.True(never.IsArmed);
    }

    private static void AssertAsTheReference(Mark[] timers, long nowMs, TimerWheel wheel)
    {
        var armed = 0;
        foreach (var timer in timers)
        {
            // The reference: due in slot n fires in the turn of slot n, and at once if that is past already.
            var fires = timer.Due >= 0 && (timer.Due + SlotMs - 1) / SlotMs <= nowMs / SlotMs;
            if (timer.IsArmed != (timer.Due >= 0 && !fires))
            {
                Assert.Fail($"due {timer.Due}, now {nowMs}, armed {timer.IsArmed}");
            }

            if (fires)
            {
                Assert.True(timer.FiredAt == nowMs);
                timer.Due = -1;
            }

            armed += timer.IsArmed ? 1 : 0;
        }

        Assert.Equal(armed, wheel.Count);
    }

    private sealed class Clock
    {
        public long NowMs { get; set; }
    }

    private sealed class Mark(Clock clock) : LoopTimer
    {
        public long Due { get; set; } = -1;

        public long FiredAt { get; private set; } = -1;

        public Action? OnFired { get; set; }

        internal override void OnTimer()
        {
            Assert.True(clock.NowMs >= Due);
            FiredAt = clock.NowMs;
            OnFired?.Invoke();
        }
    }
}

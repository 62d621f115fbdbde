using System.Globalization;
using Akka.Cluster;
using Router.Cluster.Members;
using Router.Net;
using Router.Sessions;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Cluster.Members;

public sealed class FenceKeeperTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly LineLogger _log = new("Router", isText: true);
    private readonly Fence _fence;
    private readonly FenceKeeper _keeper;

    public FenceKeeperTests()
    {
        _fence = new Fence(_time);
        _keeper = new FenceKeeper(_fence, At(0), TimeSpan.FromSeconds(2), _log);
    }

    [Fact]
    public void It_is_shut_until_this_is_a_member_and_then_open_without_others()
    {
        Assert.False(_fence.IsOpen);
        _keeper.Look([]);
        Assert.False(_fence.IsOpen);

        for (var i = 0; i < 100; i++)
        {
            _keeper.Look(Members(1));
            Assert.True(_fence.IsOpen);
            Pass(250);
        }

        Assert.Equal(0, _fence.TimesShut);
        Assert.Equal(["fence-open shut-ms=0 heard=1 members=1"], Lines());
    }

    [Fact]
    public void Who_has_heard_of_no_majority_answers_nobody_for_the_time_out()
    {
        Assert.True(_keeper.MayAnswer());   // none has answered anybody yet
        _keeper.Look(Members(3));
        Assert.True(_keeper.MayAnswer());
        _keeper.Hear(At(2), _keeper.Now);
        Assert.True(_keeper.MayAnswer());

        Pass(5_000);   // it stood still
        Assert.False(_keeper.MayAnswer());
        _keeper.Hear(At(2), _keeper.Now - 10);
        Assert.True(_keeper.MayAnswer());

        Pass(5_000);
        Assert.False(_keeper.MayAnswer());
        Pass(1_999);
        Assert.False(_keeper.MayAnswer());
        Pass(1);
        Assert.True(_keeper.MayAnswer());
    }

    [Fact]
    public void One_that_a_member_says_is_out_is_out_once_no_majority_answers_but_not_for_a_pause_long_after()
    {
        _keeper.Look(Members(3));
        _keeper.Hear(At(2), _keeper.Now);
        _keeper.OnQuarantined(At(1).Address);
        Assert.False(_keeper.IsOut);
        Pass(2_001);
        Assert.True(_keeper.IsOut);

        _keeper.Hear(At(2), _keeper.Now);
        Assert.False(_keeper.IsOut);
        Pass(2_001);
        Assert.False(_keeper.IsOut);   // it stood still
    }

    [Fact]
    public void What_a_program_without_listeners_says_ends_nobody()
    {
        _keeper.Look(Members(3));
        _keeper.OnQuarantined(At(7).Address);
        Assert.False(_keeper.IsOut);
    }

    /// <summary>Seed 3478 of the simulation: two of three stood still, and one of them had just come.</summary>
    [Fact]
    public void One_that_has_just_come_and_stood_still_answers_nobody_for_the_time_out_either()
    {
        _keeper.Look(Members(3));
        Assert.True(_keeper.MayAnswer());

        Pass(2_000);
        Assert.False(_keeper.MayAnswer());
        Pass(1_000);
        _keeper.Look(Members(3));
        Pass(999);
        Assert.False(_keeper.MayAnswer());
        Pass(1);
        Assert.True(_keeper.MayAnswer());
    }

    [Fact]
    public void It_shuts_by_itself_at_the_time_out_and_says_for_how_long_nobody_was_heard()
    {
        _keeper.Look(Members(3));
        Assert.False(_fence.IsOpen);
        var sent = _keeper.Now;
        Pass(30);
        _keeper.Hear(At(2), sent);

        Pass(1_969);
        Assert.True(_fence.IsOpen);
        Pass(1);
        Assert.False(_fence.IsOpen);
        Assert.Equal(0, _fence.TimesShut);   // nobody has looked

        Pass(200);
        _keeper.Look(Members(3));
        Assert.False(_fence.IsOpen);
        Assert.Equal(1, _fence.TimesShut);

        Pass(300);
        _keeper.Hear(At(1), _keeper.Now);
        Assert.True(_fence.IsOpen);
        Assert.Equal(
            [
                "fence-open shut-ms=0 heard=2 members=3",
                "fence-shut silent-ms=2200 heard=1 members=3",
                "fence-open shut-ms=500 heard=2 members=3",
            ],
            Lines());
    }

    /// <summary>The clock goes on while the process does not: what wakes finds the fence shut, whatever had been heard,
    /// and what has waited for it meanwhile does not open it.</summary>
    [Fact]
    public void A_process_that_stood_still_finds_it_shut_and_late_answers_do_not_open_it()
    {
        _keeper.Look(Members(3));
        var sent = _keeper.Now;
        _keeper.Hear(At(1), sent);
        Assert.Equal(1, _fence.Opened);

        Pass(8_000);

        Assert.False(_fence.IsOpen);
        _keeper.Hear(At(1), sent + 1);
        _keeper.Hear(At(2), sent + 1);
        Assert.False(_fence.IsOpen);
        Assert.Equal(1, _fence.TimesShut);
        Assert.Equal(1, _fence.Opened);

        _keeper.Hear(At(2), _keeper.Now);
        Assert.True(_fence.IsOpen);
        Assert.Equal(2, _fence.Opened);
    }

    /// <summary>What is told of the others may have waited with the process: they have not answered.</summary>
    [Fact]
    public void Members_that_are_first_seen_after_a_stop_have_to_answer()
    {
        _keeper.Look([]);
        Pass(8_000);
        _keeper.Look(Members(3));
        Pass(250);
        _keeper.Look(Members(3));

        Assert.False(_fence.IsOpen);
        Assert.Empty(Lines());
    }

    [Fact]
    public void A_member_that_joins_shuts_nothing_while_it_has_not_answered_for_the_time_out()
    {
        _keeper.Look(Members(1));
        FenceVoter[] joins = [.. Members(1), new(At(1), FenceStanding.Joining), new(At(2), FenceStanding.Joining)];

        _keeper.Look(joins);
        Pass(1_999);
        _keeper.Look(joins);
        Assert.True(_fence.IsOpen);

        Pass(1);
        _keeper.Look(joins);
        Assert.False(_fence.IsOpen);
        Assert.Equal(1, _fence.TimesShut);
    }

    [Fact]
    public void An_answer_to_a_question_of_the_future_is_none()
    {
        _keeper.Look(Members(3));
        _keeper.Hear(At(1), long.MaxValue - 1);
        _keeper.Hear(At(2), _keeper.Now + 1);

        Pass(2_000);

        Assert.False(_fence.IsOpen);
    }

    [Fact]
    public void A_member_that_leaves_in_order_shuts_it_without_a_warning()
    {
        _keeper.Look(Members(1));
        _keeper.Look([new FenceVoter(At(0), FenceStanding.Exiting)]);

        Assert.False(_fence.IsOpen);
        Pass(5_000);
        _keeper.Look([]);
        Assert.Equal(0, _fence.TimesShut);
        Assert.Single(Lines());
    }

    [Fact]
    public void The_clock_of_the_machine_counts_on_and_a_test_has_its_own()
    {
        Assert.Same(_time, BootClock.For(_time));
        var clock = BootClock.For(TimeProvider.System);
        if (OperatingSystem.IsLinux())
        {
            Assert.NotSame(TimeProvider.System, clock);
            var upSeconds = double.Parse(
                File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);   // suspend included
            Assert.InRange(clock.GetTimestamp() / 1e9, upSeconds - 0.01, upSeconds + 10);
        }

        var before = clock.GetTimestamp();
        SpinWait.SpinUntil(() => clock.GetTimestamp() > before);
        Assert.InRange(clock.GetElapsedTime(before), TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    private static FenceVoter[] Members(int count) =>
        [.. Enumerable.Range(0, count).Select(static i => new FenceVoter(At(i), FenceStanding.Member))];

    private static UniqueAddress At(int index) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{index + 1}", 27_200), index + 1);

    private void Pass(int milliseconds) => _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>From the event's name on.</summary>
    private IEnumerable<string> Lines() =>
        _log.Lines.Select(static line => line[line.IndexOf("fence-", StringComparison.Ordinal)..].TrimEnd());
}

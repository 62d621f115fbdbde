using Router.Diagnostics;
using Router.TestKit.Simulation;
using Router.Tests.Hosting;

namespace Router.Tests.Diagnostics;

public sealed class DrainProgressTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly EventLog _log = new();
    private int _sessions = 3;

    [Fact]
    public void A_line_a_second_says_what_is_left_until_the_drain_is_over()
    {
        using (new DrainProgress(_time, _log, () => _sessions--, member: null))
        {
            _time.Advance(TimeSpan.FromMilliseconds(999));
            Assert.Equal(0, _log.Count("drain-progress"));

            _time.Advance(TimeSpan.FromMilliseconds(2_001));
            Assert.Equal([3, 2, 1], _log.Of("drain-progress").Select(static line => line["sessions"]));
            Assert.All(_log.Of("drain-progress"), static line => Assert.Null(line["identities"]));
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(3, _log.Count("drain-progress"));
        Assert.Null(_time.NextTimer);
    }

    [Fact]
    public void A_members_line_says_what_of_its_identities_is_left()
    {
        var now = new MemberFigures { Waiting = 4, CheckpointsQueued = 5, Identities = 6 };
        using var progress = new DrainProgress(_time, _log, static () => 0, () => now);

        _time.Advance(TimeSpan.FromSeconds(1));

        var line = Assert.Single(_log.Of("drain-progress"));
        Assert.Equal((4, 5, 6L), (line["waiting"], line["checkpoints-queued"], line["identities"]));
    }
}

using Router.Diagnostics;
using Router.Reporting;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;
using Router.Tests.Sessions;

namespace Router.Tests.Reporting;

public sealed class SessionSummaryTests
{
    private readonly VirtualTimeProvider _time = new();

    [Fact]
    public void Beyond_its_share_of_a_second_sessions_are_counted_instead_of_recorded()
    {
        using var rig = new SessionRig();
        var session = rig.Session(SessionRig.At("192.0.2.1:5000"));
        session.CountReceived(2, 30);
        var log = new LineLogger("Router");
        var summary = new SessionSummary(log, _time, recordsPerSecond: 100);

        var recorded = Enumerable.Range(0, 1_000).Count(_ => summary.TryRecord(session, CloseReason.Idle));
        Assert.Equal(10, recorded);   // a tenth at once

        _time.Advance(TimeSpan.FromMilliseconds(55));
        recorded = Enumerable.Range(0, 1_000).Count(_ => summary.TryRecord(session, CloseReason.Lifetime));
        Assert.Equal(5, recorded);
        Assert.Empty(log.Lines);   // not yet a second

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(summary.TryRecord(session, CloseReason.Idle));
        var line = Assert.Single(log.Lines);
        Assert.Contains("\"sessions\":1985", line, StringComparison.Ordinal);
        Assert.Contains("\"bytes-in\":59550", line, StringComparison.Ordinal);
        Assert.Contains("idle=990 lifetime=995", line, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_summed_up_last_is_written_with_the_stats_and_once()
    {
        using var rig = new SessionRig();
        var session = rig.Session(SessionRig.At("192.0.2.1:5000"));
        var log = new LineLogger("Router");
        var summary = new SessionSummary(log, _time, recordsPerSecond: 0);

        Assert.False(summary.TryRecord(session, CloseReason.Idle));
        summary.Write();
        summary.Write();

        Assert.Contains("\"sessions\":1,", Assert.Single(log.Lines), StringComparison.Ordinal);
    }
}

using Router.Diagnostics;
using Router.Reporting;
using Router.Sessions;
using Router.Tests.Diagnostics;
using Router.Tests.Sessions;

namespace Router.Tests.Reporting;

public sealed class AccessLogTests
{
    [Theory]
    [InlineData("", CloseReason.Idle, true)]
    [InlineData("filter.reasons = [failed, reset]", CloseReason.Reset, true)]
    [InlineData("filter.reasons = [failed, reset]", CloseReason.Idle, false)]
    [InlineData("filter.not-reasons = idle", CloseReason.Idle, false)]
    [InlineData("filter.not-reasons = idle", CloseReason.Done, true)]
    [InlineData("filter.routes = [dns]", CloseReason.Idle, false)]
    [InlineData("filter.not-routes = [dns]", CloseReason.Idle, true)]
    [InlineData("sample = 1000000", CloseReason.Idle, false)]
    [InlineData("sample = 1000000, always = [failed]", CloseReason.Failed, true)]
    [InlineData("sample = 1000000, always = [failed], filter.not-reasons = failed", CloseReason.Failed, false)]
    public void Routes_reasons_and_the_sample_decide(string access, CloseReason reason, bool isWanted)
    {
        using var rig = new SessionRig();
        var session = rig.Session(SessionRig.At("192.0.2.1:5000"));
        var log = new AccessLog(new LineLogger("Router"), AccessRig.Options(access));

        Assert.Equal(isWanted, log.Wants(session, reason));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(1_000)]
    public void A_sample_is_the_same_each_time_and_one_of_so_many(int sample)
    {
        const int Sessions = 200_000;
        var ids = Enumerable.Range(0, Sessions).Select(static n => new SessionId(
            0x1234_5678_9abc_def0, ((ulong)(n % 4) << 48) | (uint)n));

        var taken = ids.Count(id => AccessLog.IsSampled(id, sample));

        Assert.Equal(taken, ids.Count(id => AccessLog.IsSampled(id, sample)));
        Assert.InRange(taken, (Sessions / sample) - (4 * Math.Sqrt(Sessions / sample)) - 1,
            (Sessions / sample) + (4 * Math.Sqrt(Sessions / sample)) + 1);
    }

    [Fact]
    public void A_reload_changes_all_of_it()
    {
        using var rig = new SessionRig();
        var session = rig.Session(SessionRig.At("192.0.2.1:5000"));
        var lines = new LineLogger("Router");
        var log = new AccessLog(lines, AccessRig.Options("filter.not-reasons = idle"));

        log.Apply(AccessRig.Options("format = \"{reason}\", opened = on"));

        Assert.True(log.Wants(session, CloseReason.Idle));
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Information, log.OpenedLevel);
        Assert.NotSame(lines, log.Records);
    }
}

using Router.Admin;
using Router.TestKit.Simulation;

namespace Router.Tests.Admin;

/// <summary>Members reload one after the other, as long as the request has the time.</summary>
public sealed class ClusterReloadTests
{
    private readonly VirtualTimeProvider _time = new();

    [Theory]
    [InlineData(new[] { 1, 1, 1, 1 }, 4)]
    [InlineData(new[] { 9, 20, 1, 1 }, 2)]
    [InlineData(new[] { 10, 1, 1, 1 }, 1)]
    [InlineData(new[] { 5, 3, 2, 1 }, 3)]
    [InlineData(new[] { 20, 1, 1, 1 }, 1)]
    public async Task No_member_is_asked_whose_answer_might_come_too_late(int[] seconds, int asked)
    {
        var began = _time.GetTimestamp();

        var results = await ClusterPaths.ReloadInTurnAsync(seconds, ReloadAsync, _time);

        Assert.Equal(asked, results.Count);
        Assert.InRange(_time.GetElapsedTime(began), TimeSpan.Zero, AdminGuard.RequestTimeout);
    }

    [Fact]
    public async Task Behind_one_that_is_not_done_nobody_is_asked()
    {
        var results = await ClusterPaths.ReloadInTurnAsync([1, -1, 1], ReloadAsync, _time);

        Assert.Equal(["done", "no-answer"], results.Select(static each => each.Result));
    }

    [Fact]
    public void One_that_was_not_asked_is_told_from_one_that_has_not_answered()
    {
        var lost = ClusterPaths.ResultOf("a:1", isAsked: false, answer: null);
        var silent = ClusterPaths.ResultOf("a:1", isAsked: true, answer: null);

        Assert.Equal(("not-asked", "no-answer"), (lost.Result, silent.Result));
        Assert.Contains("nothing has changed on it", Assert.Single(lost.Faults), StringComparison.Ordinal);
        Assert.Contains("may have reloaded or not", Assert.Single(silent.Faults), StringComparison.Ordinal);
    }

    /// <param name="seconds">Until it answers; negative for never.</param>
    private Task<MemberReloadReport> ReloadAsync(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(Math.Max(0, seconds)));
        return Task.FromResult(new MemberReloadReport("a", seconds < 0 ? "no-answer" : "done", null, [], [], []));
    }
}

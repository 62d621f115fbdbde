using Router.Upstreams;

namespace Router.Tests.Upstreams;

public sealed class WeightedPickTests
{
    [Theory]
    [InlineData(100, 50, 0, 2, 1, 0)]
    [InlineData(100, 100, 200, 1, 1, 2)]
    [InlineData(7, 3, 1, 7, 3, 1)]
    [InlineData(0, 0, 9, 0, 0, 1)]
    public void Every_run_of_turns_picks_each_as_often_as_its_weight_says(
        int first, int second, int third, int one, int two, int three)
    {
        var run = one + two + three;
        var picks = Enumerable.Range(0, 3 * run)
            .Select(turn => WeightedPick.RoundRobin((uint)(turn + 4), [first, second, third]))
            .ToList();

        for (var begin = 0; begin + run <= picks.Count; begin += run)
        {
            var counts = picks.Skip(begin).Take(run).ToLookup(static pick => pick);
            Assert.Equal([one, two, three], Enumerable.Range(0, 3).Select(index => counts[index].Count()));
        }
    }

    [Fact]
    public void Turns_of_the_heavy_are_spread()
    {
        var picks = Enumerable.Range(0, 20).Select(static turn => WeightedPick.RoundRobin((uint)turn, [90, 10]));

        Assert.Equal(2, picks.Count(static pick => pick == 1));
        var halves = Enumerable.Range(0, 10).Select(static turn => WeightedPick.RoundRobin((uint)turn, [60, 40]));
        Assert.DoesNotContain("000", string.Concat(halves), StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_grow_in_proportion_to_the_weights()
    {
        var sessions = new int[3];
        for (var turn = 0u; turn < 700; turn++)
        {
            sessions[WeightedPick.LeastSessions(sessions, turn, [400, 200, 100])]++;
        }

        Assert.Equal([400, 200, 100], sessions);
        Assert.Equal(2, WeightedPick.LeastSessions([0, 0, 9], 0, [0, 0, 1]));
    }

    [Fact]
    public void A_change_of_one_weight_moves_no_peer_between_the_others()
    {
        ulong[] candidates = [.. Enumerable.Range(1, 3).Select(static i => PeerHash.KeyOf([10, 0, 0, (byte)i], 53))];
        var before = Picks([100, 50, 100]);
        var after = Picks([100, 150, 100]);

        Assert.InRange(before.Count(static pick => pick == 1), 1_700, 2_300);   // a fifth of 10,000
        Assert.InRange(after.Count(static pick => pick == 1), 4_000, 4_600);    // three sevenths
        Assert.All(before.Zip(after), static pair => Assert.True(pair.First == pair.Second || pair.Second == 1));
        Assert.DoesNotContain(0, Picks([0, 1, 1]));
        Assert.Equal(-1, WeightedPick.Hash(1, candidates, [0, 0, 0]));

        List<int> Picks(int[] weights) =>
        [
            .. Enumerable.Range(0, 10_000).Select(peer => WeightedPick.Hash(
                PeerHash.KeyOf([192, 0, (byte)(peer >> 8), (byte)peer]), candidates, weights)),
        ];
    }

    [Fact]
    public void Where_nobody_may_be_picked_nobody_is()
    {
        Assert.Equal(-1, WeightedPick.RoundRobin(3, [0, 0]));
        Assert.Equal(-1, WeightedPick.LeastSessions([1, 2], 3, [0, 0]));
    }
}

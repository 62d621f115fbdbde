using System.Net;
using Router.Upstreams;

namespace Router.Tests.Upstreams;

public sealed class PickPolicyTests
{
    private const ulong KeyV4 = 6_962_346_852_477_380_540;
    private const ulong KeyV6 = 16_830_536_552_515_185_472;

    private static readonly bool[] None2 = [false, false];

    [Fact]
    public void Round_robin_gives_ten_sessions_five_and_five()
    {
        var picks = Enumerable.Range(0, 10).Select(turn => RoundRobin.Pick((uint)turn, None2)).ToList();

        Assert.Equal(5, picks.Count(pick => pick == 0));
        Assert.Equal([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], picks);
    }

    [Fact]
    public void Round_robin_shares_an_excluded_ones_turns_among_the_others()
    {
        bool[] excluded = [false, true, false, false];
        var picks = Enumerable.Range(0, 30).Select(turn => RoundRobin.Pick((uint)turn, excluded)).ToList();

        Assert.Equal([0, 2, 3], picks.Distinct().Order());
        Assert.All(picks.CountBy(pick => pick), group => Assert.Equal(10, group.Value));
    }

    [Fact]
    public void Least_sessions_keeps_sessions_that_stay_level()
    {
        int[] sessions = [0, 0];
        for (uint turn = 0; turn < 10; turn++)
        {
            sessions[LeastSessions.Pick(sessions, turn, None2)]++;
        }

        Assert.Equal([5, 5], sessions);
    }

    [Fact]
    public void Least_sessions_fills_up_the_emptier_one_first()
    {
        int[] sessions = [7, 3, 7];
        bool[] none = [false, false, false];
        for (uint turn = 0; turn < 4; turn++)
        {
            sessions[LeastSessions.Pick(sessions, turn, none)]++;
        }

        Assert.Equal([7, 7, 7], sessions);
    }

    [Fact]
    public void Least_sessions_takes_turns_among_equals()
    {
        var picks = Enumerable.Range(0, 12)
            .Select(turn => LeastSessions.Pick([4, 9, 4, 4], (uint)turn, new bool[4]))
            .ToList();

        Assert.All(picks.CountBy(pick => pick), group => Assert.Equal(4, group.Value));
        Assert.Equal([0, 2, 3], picks.Distinct().Order());
    }

    [Fact]
    public void No_policy_picks_an_excluded_candidate_and_all_tell_when_none_is_left()
    {
        var random = new Random(5);
        for (var run = 0; run < 10_000; run++)
        {
            var count = random.Next(1, 9);
            var excluded = Enumerable.Range(0, count).Select(_ => random.Next(2) == 0).ToArray();
            var sessions = Enumerable.Range(0, count).Select(_ => random.Next(4)).ToArray();
            var keys = Enumerable.Range(0, count).Select(_ => (ulong)random.NextInt64()).ToArray();
            var turn = (uint)random.Next();

            int[] picks =
            [
                RoundRobin.Pick(turn, excluded),
                LeastSessions.Pick(sessions, turn, excluded),
                PeerHash.Pick((ulong)random.NextInt64(), keys, excluded),
            ];

            Assert.All(picks, pick => Assert.True(excluded.All(flag => flag) ? pick == -1 : !excluded[pick]));
        }
    }

    [Fact]
    public void Hash_moves_only_the_peers_of_a_removed_candidate_and_spreads_them()
    {
        const int Candidates = 10;
        const int Peers = 20_000;
        var keys = Keys(Candidates);
        var excluded = new bool[Candidates];
        var before = PeerKeys(Peers).Select(peer => PeerHash.Pick(peer, keys, excluded)).ToList();
        excluded[3] = true;
        var after = PeerKeys(Peers).Select(peer => PeerHash.Pick(peer, keys, excluded)).ToList();

        var moved = before.Zip(after).Where(pair => pair.First != pair.Second).ToList();
        Assert.All(moved, pair => Assert.Equal(3, pair.First));
        Assert.Equal(before.Count(pick => pick == 3), moved.Count);
        Assert.InRange(moved.Count, Peers / Candidates * 9 / 10, Peers / Candidates * 11 / 10);
        Assert.Equal(9, moved.Select(pair => pair.Second).Distinct().Count());
        Assert.All(
            moved.CountBy(pair => pair.Second),
            share => Assert.InRange(share.Value, moved.Count / 9 * 7 / 10, moved.Count / 9 * 13 / 10));
    }

    [Fact]
    public void Hash_spreads_neighbouring_addresses_evenly()
    {
        foreach (var candidates in (int[])[2, 3, 7, 32])
        {
            var keys = Keys(candidates);
            var shares = PeerKeys(32_000).CountBy(peer => PeerHash.Pick(peer, keys, new bool[candidates])).ToList();

            Assert.Equal(candidates, shares.Count);
            Assert.All(
                shares,
                share => Assert.InRange(share.Value, 32_000 / candidates * 8 / 10, 32_000 / candidates * 12 / 10));
        }
    }

    [Fact]
    public void Hash_does_not_depend_on_the_order_of_the_candidates()
    {
        var keys = Keys(8);
        var reversed = keys.Reverse().ToArray();
        foreach (var peer in PeerKeys(1_000))
        {
            Assert.Equal(
                keys[PeerHash.Pick(peer, keys, new bool[8])], reversed[PeerHash.Pick(peer, reversed, new bool[8])]);
        }
    }

    [Fact]
    public void Hash_keys_are_the_same_in_every_process_and_for_mapped_addresses()
    {
        // Written down: a change of these figures moves the peers of everybody who upgrades.
        Assert.Equal(KeyV4, Key("192.0.2.7"));
        Assert.Equal(KeyV6, Key("2001:db8::7"));
        Assert.Equal(Key("192.0.2.7"), Key("::ffff:192.0.2.7"));
        Assert.NotEqual(Key("192.0.2.7"), Key("192.0.2.8"));
    }

    private static ulong Key(string address) => PeerHash.KeyOf(IPAddress.Parse(address).GetAddressBytes());

    private static ulong[] Keys(int count) =>
        [.. Enumerable.Range(1, count).Select(i => PeerHash.KeyOf([10, 0, 0, (byte)i], 53))];

    private static IEnumerable<ulong> PeerKeys(int count) =>
        Enumerable.Range(0, count).Select(i => PeerHash.KeyOf([172, 16, (byte)(i >> 8), (byte)i]));
}

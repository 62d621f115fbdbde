using Akka.Cluster;
using Router.Cluster.Members;

namespace Router.Tests.Cluster.Members;

public sealed class FenceQuorumTests
{
    private const long Now = 100_000, TimeOut = 2_000, Heard = 99_900, Silent = 50_000;

    /// <summary>Members are numbered from 0, the lowest; who is heard, by this one among them.</summary>
    [Theory]
    [InlineData(1, 0, "", true)]
    [InlineData(2, 0, "", true)]      // a tie: the lowest side is kept
    [InlineData(2, 1, "", false)]
    [InlineData(2, 1, "0", true)]
    [InlineData(3, 0, "", false)]
    [InlineData(3, 0, "2", true)]
    [InlineData(3, 2, "1", true)]
    [InlineData(3, 2, "", false)]
    [InlineData(4, 0, "3", true)]     // a tie
    [InlineData(4, 3, "0", true)]     // on the lowest one's side
    [InlineData(4, 3, "1", false)]
    [InlineData(4, 3, "12", true)]
    [InlineData(5, 0, "1", false)]
    [InlineData(5, 0, "12", true)]
    [InlineData(5, 4, "23", true)]
    [InlineData(5, 4, "3", false)]
    public void It_is_open_for_who_hears_a_majority(int members, int self, string heard, bool isOpen)
    {
        var quorum = new FenceQuorum(At(self), TimeOut);
        quorum.SetVoters([.. Enumerable.Range(0, members).Select(i => Voter(i))]);
        foreach (var member in heard)
        {
            quorum.Hear(At(member - '0'), Heard);
        }

        Assert.Equal(isOpen, quorum.MajorityHeard(Now) + TimeOut > Now);
        Assert.Equal(heard.Length + 1, quorum.HeardCount(Now));
    }

    [Fact]
    public void The_majority_is_heard_as_of_the_question_that_its_last_member_answered()
    {
        var quorum = new FenceQuorum(At(0), TimeOut);
        quorum.SetVoters([Voter(0), Voter(1), Voter(2), Voter(3), Voter(4)]);

        quorum.Hear(At(1), 5_000);
        quorum.Hear(At(2), 4_000);
        quorum.Hear(At(3), 3_000);
        quorum.Hear(At(2), 3_500);   // an answer that was late
        quorum.Hear(At(7), 5_000);   // no member

        Assert.Equal(4_000, quorum.MajorityHeard(5_100));
    }

    [Fact]
    public void A_member_that_does_not_count_itself_has_no_majority()
    {
        var quorum = new FenceQuorum(At(0), TimeOut);
        quorum.SetVoters([]);
        Assert.Null(quorum.MajorityHeard(Now));

        quorum.SetVoters([Voter(0, FenceStanding.Joining), Voter(1), Voter(2)]);
        Assert.Null(quorum.MajorityHeard(Now));

        quorum.SetVoters([Voter(0, FenceStanding.Exiting), Voter(1), Voter(2)]);
        Assert.Null(quorum.MajorityHeard(Now));

        quorum.SetVoters([Voter(1), Voter(2)]);
        Assert.Null(quorum.MajorityHeard(Now));
    }

    [Fact]
    public void A_member_that_was_started_anew_is_another_one()
    {
        var quorum = new FenceQuorum(At(0), TimeOut);
        quorum.SetVoters([Voter(0), Voter(1), Voter(2)]);
        quorum.Hear(At(2), Silent);

        quorum.Hear(new UniqueAddress(At(1).Address, uid: 77), Heard);

        Assert.Equal(Silent, quorum.MajorityHeard(Now));
    }

    [Fact]
    public void Who_joins_counts_at_once_and_is_heard_when_it_answers()
    {
        var quorum = new FenceQuorum(At(0), TimeOut);
        quorum.SetVoters([Voter(0)]);
        Assert.Equal(Now, quorum.MajorityHeard(Now));

        quorum.SetVoters([Voter(0), Voter(1, FenceStanding.Joining), Voter(2, FenceStanding.Joining)]);
        Assert.Equal(long.MinValue, quorum.MajorityHeard(Now));

        quorum.Hear(At(2), Heard);
        Assert.Equal(Heard, quorum.MajorityHeard(Now));
    }

    /// <summary>All clusters of up to five members of every standing; all splits in two; and each side as it knows the
    /// members before, or after, what its leader may do once all have seen the former.</summary>
    [Fact]
    public void Two_sides_that_do_not_hear_each_other_never_both_have_a_majority()
    {
        var checkedSplits = 0;
        for (var count = 1; count <= 5; count++)
        {
            for (var code = 0; code < (int)Math.Pow(3, count); code++)
            {
                FenceVoter[] before =
                [
                    .. Enumerable.Range(0, count)
                        .Select(i => Voter(i, (FenceStanding)(code / (int)Math.Pow(3, i) % 3))),
                ];
                FenceVoter[] after =
                [
                    .. before.Where(static voter => voter.Standing != FenceStanding.Exiting)
                        .Select(static voter => voter with { Standing = FenceStanding.Member }),
                ];
                FenceVoter[] partly =
                    [.. before.Where(static voter => voter.Standing != FenceStanding.Exiting)];
                FenceVoter[][] views = [before, after, partly];
                for (var split = 0; split < 1 << count; split++)
                {
                    foreach (var (mine, others) in views.SelectMany(_ => views, static (one, two) => (one, two)))
                    {
                        Assert.False(
                            IsOpen(mine, split) && IsOpen(others, ~split),
                            $"{string.Join(' ', mine)} | {string.Join(' ', others)}: {split:b}");
                        checkedSplits++;
                    }
                }
            }
        }

        Assert.True(checkedSplits > 50_000);
    }

    private static bool IsOpen(FenceVoter[] view, int side)
    {
        FenceVoter[] members = [.. view.Where(voter => (side >> (voter.Address.Uid - 1) & 1) != 0)];
        return members.Any(member =>
        {
            var quorum = new FenceQuorum(member.Address, TimeOut);
            quorum.SetVoters(view);
            foreach (var other in members)
            {
                quorum.Hear(other.Address, Heard);
            }

            return quorum.MajorityHeard(Now) + TimeOut > Now;
        });
    }

    private static FenceVoter Voter(int index, FenceStanding standing = FenceStanding.Member) =>
        new(At(index), standing);

    private static UniqueAddress At(int index) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{index + 1}", 27_200), index + 1);
}

using Router.Cluster.Members;

namespace Router.Tests.Cluster.Members;

/// <summary>Which of two clusters goes on.</summary>
public sealed class ClusterStandingTests
{
    [Theory]
    [InlineData(1, 90_000, 2, 10_000, true)]    // the older one
    [InlineData(2, 10_000, 1, 90_000, false)]
    [InlineData(2, 10_000, 1, 15_000, true)]    // of the same age the larger one
    [InlineData(1, 10_000, 2, 10_000, false)]
    [InlineData(2, 10_000, 2, 15_000, true)]    // of the same size the one of the lower address
    public void The_older_one_then_the_larger_one_then_the_lower_address_goes_on(
        int members, long age, int theirMembers, long theirAge, bool goesOn)
    {
        var ours = new ClusterStanding(ClusterStandingKind.Answer, members, age);
        var theirs = new ClusterStanding(ClusterStandingKind.Question, theirMembers, theirAge);

        Assert.Equal(goesOn, ours.GoesOn(At(1), At(2), theirs));
        Assert.Equal(!goesOn, theirs.GoesOn(At(2), At(1), ours));
    }

    internal static Address At(int number) => new("akka.tcp", "router", $"10.0.0.{number}", 27200);
}

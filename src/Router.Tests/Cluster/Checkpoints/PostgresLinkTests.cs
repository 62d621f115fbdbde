using Router.Cluster.Checkpoints;

namespace Router.Tests.Cluster.Checkpoints;

public sealed class PostgresLinkTests
{
    [Fact]
    public void One_that_is_given_up_while_it_is_made_is_asked_for_nothing()
    {
        var link = new PostgresLink();
        Assert.True(link.TryGiveUp());
        Assert.False(link.TryUse());
        Assert.False(link.IsUsed);
    }

    [Fact]
    public void One_that_was_asked_may_have_done_it_when_it_is_given_up()
    {
        var link = new PostgresLink();
        Assert.True(link.TryUse());
        Assert.False(link.TryGiveUp());
        Assert.True(link.IsUsed);
    }
}

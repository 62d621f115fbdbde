using Router.Cluster.Checkpoints;
using Router.Configuration;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>What stores can keep, and where.</summary>
public sealed class CheckpointLimitsTests
{
    [Theory]
    [InlineData("device-42", true)]
    [InlineData(" ", true)]
    [InlineData("\uD83D\uDE00", true)]
    [InlineData("\uFFFD", true)]
    [InlineData("", false)]
    [InlineData("a\0b", false)]
    public void An_identity_is_whole_Unicode_without_NUL(string text, bool isIdentity) =>
        Assert.Equal(isIdentity, CheckpointLimits.IsIdentity(text));

    /// <summary>Written here: the data of a theory are kept in UTF-8, which has no such text.</summary>
    [Fact]
    public void Half_a_pair_of_surrogates_is_no_identity()
    {
        Assert.False(CheckpointLimits.IsIdentity("a\uD83D"));
        Assert.False(CheckpointLimits.IsIdentity("\uDE00\uD83D"));
        Assert.False(CheckpointLimits.IsIdentity("\uFFFD\uD83D "));
    }

    [Fact]
    public void An_identity_has_256_characters_at_most()
    {
        Assert.True(CheckpointLimits.IsIdentity(new string('x', 256)));
        Assert.False(CheckpointLimits.IsIdentity(new string('x', 257)));
    }

    [Theory]
    [InlineData("checkpoints", true)]
    [InlineData("router.checkpoints_2", true)]
    [InlineData("_", true)]
    [InlineData("", false)]
    [InlineData("a.b.c", false)]
    [InlineData("Checkpoints", false)]
    [InlineData("2a", false)]
    [InlineData("a;b", false)]
    [InlineData("a\n", false)]
    [InlineData("a\"", false)]
    [InlineData("a-b", false)]
    [InlineData("a.", false)]
    [InlineData("a_name_of_64_characters_where_the_server_would_cut_off_the_lasts", false)]
    public void A_table_has_a_plain_name(string name, bool isTable)
    {
        Assert.Equal(isTable, CheckpointOptions.IsTable(name));
        if (!isTable)
        {
            Assert.Throws<ArgumentException>(() => new PostgresCheckpoints("Host=nowhere", name));
        }
    }
}

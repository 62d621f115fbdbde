using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>Members tell each other what they run.</summary>
public sealed class ConfigurationMembersTests
{
    [Fact]
    public async Task Members_with_different_configurations_say_so_until_a_reload_makes_them_equal()
    {
        await using var one = await StartAsync(null, "max-sessions = 5");
        await using var two = await StartAsync(one.Seed, "max-sessions = 6");
        await one.Log.Seen("configuration-differs");
        await two.Log.Seen("configuration-differs");
        await two.ReloadAsync("max-sessions = 6", "max-sessions = 5");
        await one.Log.Seen("configuration-agrees");
        await two.Log.Seen("configuration-agrees");

        Assert.Equal(
            (1, 1), (one.Log.Count("configuration-differs"), two.Log.Count("configuration-differs")));
        Assert.Contains(two.Seed, one.Log.Texts("configuration-differs")[0], StringComparison.Ordinal);
    }
}

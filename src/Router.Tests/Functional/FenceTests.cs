using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>What a member of a cluster does that is cut from the others, or stood still: docs/cluster.md promises it.
/// </summary>
public sealed class FenceTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 5300;

    /// <summary>As RouterRunner.ExitDowned and docs/errors.md have it.</summary>
    private const int ExitDowned = 75;

    private const string Config = """
        router {
          loops = 1
          cluster.when-isolated = stop
          listeners.echo { bind = "udp://0.0.0.0:5300", route = echo }
          routes.echo { type = echo }
        }
        """;

    private readonly ITestOutputHelper _output = output;

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task A_member_that_is_cut_from_the_others_is_silent_is_downed_and_ends()
    {
        var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config);
        using var client = await rig.ClientAsync(Port);
        client.Member = 2;
        await client.TalkUntilAsync(() => client.Answers.Count > 0, () => "member 2 answers nobody");

        var cut = TimeProvider.System.GetTimestamp();
        await rig.IsolateAsync(2);
        var isDowned = rig[2].RecordAsync("member-downed");
        await client.TalkUntilAsync(() => isDowned.IsCompleted, () => "member 2 is not downed");
        var exit = await rig[2].ExitAsync();

        var served = TimeProvider.System.GetElapsedTime(cut, client.Answers.Max(static answer => answer.At));
        _output.WriteLine($"answered for {served.TotalMilliseconds:0} ms after the cut");
        Assert.InRange(served.TotalSeconds, 0.1, 2.5);
        Assert.Equal(ExitDowned, exit);
        Assert.Single(rig[2].RecordsOf("member-downed"));
        Assert.Single(rig[2].RecordsOf("fence-shut"));
        Assert.Contains(
            rig[2].RecordsOf("drops"), static record => record.GetProperty("reason").GetString() == "isolated");
        var draining = Assert.Single(rig[2].RecordsOf("draining"));
        var stopped = await rig[2].RecordAsync("stopped");
        Assert.InRange(ClusterRig.Between(draining, stopped).TotalSeconds, 0, 2);
        foreach (var member in new[] { 1, 3 })
        {
            await rig[member].RecordAsync("member-removed");
            Assert.Empty(rig[member].RecordsOf("fence-shut"));
            client.Member = member;
            await client.TalkUntilAsync(
                () => client.Answers[^1].Member == member, () => $"member {member} does not answer");
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task A_member_that_stood_still_for_8_s_sends_nothing_any_more_says_why_and_ends()
    {
        const int Sessions = 500, WaitSeconds = 8;
        var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config);
        using var client = await rig.ClientAsync(Port);
        client.Member = 3;
        await client.TalkUntilAsync(() => client.Answers.Count > 0, () => "member 3 answers nobody");

        await rig.FreezeAsync(3);
        client.Take();
        client.Answers.Clear();
        for (var i = 0; i < Sessions; i++)
        {
            client.Send("while it stands still");   // waits in the socket's buffer
        }

        await Until.PassedAsync(TimeSpan.FromSeconds(WaitSeconds));
        await rig[1].RecordAsync("member-removed");
        rig.Thaw(3);
        var isDowned = rig[3].RecordAsync("member-downed");
        await client.TalkUntilAsync(() => isDowned.IsCompleted, () => "member 3 is not downed");

        Assert.Equal(ExitDowned, await rig[3].ExitAsync());
        client.Take();
        _output.WriteLine($"{client.Answers.Count} answers after it woke");
        Assert.InRange(client.Answers.Count, 0, 64);   // a batch, where it was stopped between the look and the call
        Assert.Single(rig[3].RecordsOf("fence-shut"));
        Assert.Single(rig[3].RecordsOf("member-downed"));
    }

    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task A_freeze_of_2_s_downs_nobody_and_shuts_no_other_fence()
    {
        var rig = await ClusterRig.StartAsync(this, Folder, members: 3, Config);
        using var client = await rig.ClientAsync(Port);
        client.Member = 3;
        await client.TalkUntilAsync(() => client.Answers.Count > 0, () => "member 3 answers nobody");

        await rig.FreezeAsync(3);
        await Until.PassedAsync(TimeSpan.FromSeconds(2));
        rig.Thaw(3);
        client.Answers.Clear();
        await client.TalkUntilAsync(() => client.Answers.Count > 0, () => "member 3 does not come back");
        await Until.PassedAsync(TimeSpan.FromSeconds(3));

        for (var member = 1; member <= 3; member++)
        {
            Assert.False(rig[member].HasExited);
            Assert.Empty(rig[member].RecordsOf("member-removed"));
            Assert.True(member == 3 || rig[member].RecordsOf("fence-shut").Count == 0, $"member {member} was shut");
        }
    }

    /// <summary>As keep-majority keeps the side of the lowest address, the fence of that side stays open.</summary>
    [RequiresToolFact(RequiredTools.Namespace, "ip", "nft")]
    public async Task Of_two_members_the_one_of_the_lower_address_goes_on()
    {
        var rig = await ClusterRig.StartAsync(this, Folder, members: 2, Config);
        using var client = await rig.ClientAsync(Port);

        await rig.CutAsync(1, 2);

        Assert.Equal(ExitDowned, await rig[2].ExitAsync());
        await rig[1].RecordAsync("member-removed");
        Assert.Empty(rig[1].RecordsOf("fence-shut"));
        await client.TalkUntilAsync(() => client.Answers.Count > 0, () => "member 1 answers nobody");
    }
}

using System.Text.Json;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Three members form a cluster from their seeds, and one that dies and comes again is no storm in the log.
/// </summary>
[Collection(MemberTests.Name)]
public sealed class ClusterFormTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Seeds = "\"127.0.0.1:27200\", \"127.0.0.2:27200\", \"127.0.0.3:27200\"";

    /// <summary>3 s on an idle machine: see bench/cluster-form.sh. Here others want the processors as well.</summary>
    private static readonly TimeSpan FormMax = TimeSpan.FromSeconds(20);

    private readonly ITestOutputHelper _output = output;

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_a_cluster_no_port_is_open_but_those_of_the_listeners()
    {
        var alone = await RouterAsync("""
            router {
              loops = 1
              listeners.a { bind = "tcp://127.0.0.1:5300", route = e }
              routes.e { type = echo }
            }
            """);

        Assert.Equal([5300], ListenedBy(alone));

        var member = await MemberAsync(1);   // in the same network
        await member.RecordAsync("cluster-joining");
        Assert.Equal([5300, 27200], ListenedBy(member).Order());
    }

    /// <summary>Ports where connections are taken in a process's network.</summary>
    private static List<int> ListenedBy(RouterProcess router) =>
    [
        .. from file in new[] { "tcp", "tcp6" }
           from line in File.ReadLines($"/proc/{router.Id}/net/{file}").Skip(1)
           let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
           where words[3] == "0A"   // LISTEN
           select Convert.ToInt32(words[1].Split(':')[1], 16),
    ];

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData(1, 2, 3)]
    [InlineData(3, 2, 1)]
    public async Task Three_that_start_at_the_same_moment_are_one_cluster(params int[] order)
    {
        var began = TimeProvider.System.GetTimestamp();
        var members = new List<RouterProcess>();
        foreach (var number in order)
        {
            members.Add(await MemberAsync(number));
        }

        foreach (var member in members)
        {
            await member.RecordAsync("member-up", index: 2);
        }

        var took = TimeProvider.System.GetElapsedTime(began);
        _output.WriteLine($"three members are up {took.TotalSeconds:F1} s after their start");
        Assert.InRange(took, TimeSpan.Zero, FormMax);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_member_that_dies_and_comes_again_is_a_few_plain_lines()
    {
        var members = new List<RouterProcess>();
        foreach (var number in Enumerable.Range(1, 3))
        {
            members.Add(await MemberAsync(number));
        }

        foreach (var member in members)
        {
            await member.RecordAsync("member-up", index: 2);
        }

        var before = members[0].Records.Count;
        var began = TimeProvider.System.GetTimestamp();
        members[2].Signal(TestLibc.SigKill);
        await members[0].RecordAsync("member-removed");
        await MemberAsync(3);
        await members[0].RecordAsync("member-up", index: 3);

        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var lines = members[0].Records.Skip(before).ToList();
        Assert.DoesNotContain(lines, static line => line.TryGetProperty("stack", out _));
        Assert.All(lines.Select(static line => $"{line}"), static line =>
            Assert.DoesNotContain("   at Akka.", line, StringComparison.Ordinal));
        foreach (var name in new[] { "member-link-lost", "member-late", "dead-letters" })
        {
            Assert.InRange(lines.Count(line => EventOf(line) == name), 0, seconds + 2);
        }

        Assert.InRange(lines.Count(static line => EventOf(line) == "actor-log"), 0, seconds + 2);
    }

    private static string? EventOf(JsonElement record) => record.GetProperty("event").GetString();

    private async Task<RouterProcess> MemberAsync(int number)
    {
        var file = await RouterProcess.WriteAsync(
            Folder,
            $$"""
            router {
              loops = 1
              cluster {
                host = 127.0.0.{{number}}
                seeds = [{{Seeds}}]
              }
              listeners.e { bind = "udp://127.0.0.{{number}}:47001", route = e }
              routes.e { type = echo }
            }
            """);
        return await CommandAsync(["run", "--config", file]);
    }
}

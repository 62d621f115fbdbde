using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Router.Diagnostics;
using Router.Tests.Functional;
using Router.Tests.Sessions;
using Router.Tests.Tidy;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>Challenges over real sockets and members.</summary>
public sealed class IdentityChallengeMembersTests
{
    private const string Listener =
        $"identity {{ first-line = \"^(\\\\w+)\" }}, proof = challenge, proof-secret = {IdentitySettingsTests.Secret}";

    /// <summary>The line of docs/cluster.md is the device's.</summary>
    [RequiresToolFact("openssl")]
    public async Task A_device_that_answers_as_the_page_says_goes_on_at_another_member_and_no_forger_does()
    {
        await using var one = await StartAsync(null, Listener);
        await using var two = await StartAsync(one.Seed, Listener);
        await one.IsAmongAsync(2);
        await two.IsAmongAsync(2);
        using var here = one.Client();
        using var there = two.Client();
        using var forger = two.Client();
        var heard = await AskAsync(here, "alice");
        var answer = await AnswerAsync(heard);
        Assert.Equal("1 1", await AskAsync(here, answer));

        Assert.NotEqual(heard, await AskAsync(forger, "alice"));
        await forger.SendAsync(Encoding.ASCII.GetBytes(answer));
        await Until.TrueAsync(() => WrongOf(two) == 1, () => $"a wrong proof, {WrongOf(two)} are counted");
        Assert.Equal("2 1", await AskAsync(here, "more"));

        Assert.Equal("3 2", await AskAsync(there, await AnswerAsync(await AskAsync(there, "alice"))));
        await one.Log.Seen("session-detached");
        Assert.Equal(0, forger.Available);
    }

    [Fact]
    public async Task A_connection_answers_too()
    {
        await using var member = await StartAsync(null, Listener, transport: "tcp");
        using var client = new TcpClient();
        await client.ConnectAsync(member.Udp);
        using var reader = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync("alice\n"u8.ToArray());
        var challenge = await reader.ReadLineAsync();
        await client.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"{IdentityChallengeTests.AnswerTo(challenge!)}\n"));
        var buffer = new char[3];
        await reader.ReadBlockAsync(buffer);

        Assert.Equal("1 1", new string(buffer));
    }

    private static long WrongOf(HostedMember member) => member.Engine.Stats.Read()
        .Sum(static figures => figures.Drops.GetValueOrDefault(DropReason.WrongProof));

    private static async Task<string> AnswerAsync(string challenge)
    {
        var line = Repository.Read("docs/cluster.md").Split('\n')
            .Single(static line => line.StartsWith("    printf %s \"$DIGITS\"", StringComparison.Ordinal));
        var start = new ProcessStartInfo("sh", ["-c", line])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["TOKEN"] = IdentitySettingsTests.AliceToken;
        start.Environment["DIGITS"] = challenge["challenge ".Length..].TrimEnd();
        using var shell = Process.Start(start)!;
        var answer = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return answer;
    }
}

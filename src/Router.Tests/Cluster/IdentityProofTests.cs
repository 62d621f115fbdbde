using System.Net.Sockets;
using System.Text;
using Router.Diagnostics;
using Router.Tests.Functional;
using Router.Tests.Sessions;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>A peer proves the identity that its payload names, or nothing happens.</summary>
public sealed class IdentityProofTests
{
    private const string Lines = "identity { first-line = \"^(\\\\w+) (\\\\w+)\" }";
    private const string Secret = $"proof-secret = {IdentitySettingsTests.Secret}";
    private const string Token = $"{Lines}, proof = token, {Secret}";
    private const string Handler = $"{Lines}, proof = handler";
    private const string Alice = $"alice {IdentitySettingsTests.AliceToken}";

    [Theory]
    [InlineData(Token, Alice, "alice fdbf8b1cacd3d578e062d0e41104357e")]
    [InlineData(Token, Alice, "alice fdbf")]
    [InlineData(Token, Alice, "bob fdbf8b1cacd3d578e062d0e41104357d")]
    [InlineData(Handler, "alice sesame", "alice hazel")]
    public async Task A_wrong_proof_changes_nothing_and_is_not_answered_and_a_right_one_supersedes(
        string listener, string right, string wrong)
    {
        await using var member = await StartAsync(null, listener);
        using var first = member.Client();
        using var second = member.Client();
        using var forger = member.Client();
        Assert.Equal("1 1", await AskAsync(first, right));

        await forger.SendAsync(Encoding.ASCII.GetBytes(wrong));
        await CountsWrongAsync(member, 1);
        Assert.Equal("2 1", await AskAsync(first, "more"));   // its session has been asked for its proof
        Assert.Equal("3 2", await AskAsync(second, right));
        await forger.SendAsync(Encoding.ASCII.GetBytes(wrong));
        await CountsWrongAsync(member, 2);

        Assert.Equal("4 2", await AskAsync(second, "more"));
        Assert.Equal(0, forger.Available);
        Assert.Equal(0, first.Available);
    }

    [Theory]
    [InlineData(Token, Alice, "alice fdbf8b1cacd3d578e062d0e41104357e")]
    [InlineData(Handler, "alice sesame", "alice hazel")]
    public async Task A_connection_with_a_wrong_proof_is_closed_without_a_byte(
        string listener, string right, string wrong)
    {
        await using var member = await StartAsync(null, listener, transport: "tcp");
        using var first = await ConnectAsync(member, right);
        Assert.Equal("1 1", await ReadAsync(first, 3));

        using var forger = await ConnectAsync(member, wrong);

        Assert.Equal("", await ReadAsync(forger, 1));
        await CountsWrongAsync(member, 1);
        await member.Log.Seen("session-closed");
        Assert.Contains(
            "unidentified", Assert.Single(member.Log.Texts("session-closed")), StringComparison.Ordinal);
        await first.GetStream().WriteAsync("more\n"u8.ToArray());
        Assert.Equal("2 1", await ReadAsync(first, 3));
        using var second = await ConnectAsync(member, right);
        Assert.Equal("3 2", await ReadAsync(second, 3));
    }

    [Fact]
    public async Task A_datagram_without_the_token_opens_no_session()
    {
        await using var member = await StartAsync(null, Token);
        using var forger = member.Client();
        await forger.SendAsync("alice x"u8.ToArray());
        await CountsWrongAsync(member, 1);

        Assert.Equal((0, 0L), (member.Engine.Stats.Sessions, member.Engine.Stats.Closed));
    }

    [Fact]
    public async Task A_handler_that_says_nothing_of_proof_believes_nobody()
    {
        await using var member = await StartAsync(
            null, Handler, handler: static () => new SilentHandler());
        using var client = member.Client();
        await client.SendAsync("alice sesame"u8.ToArray());

        await CountsWrongAsync(member, 1);
        Assert.Empty(member.Log.Texts("session-attached"));
    }

    private static Task CountsWrongAsync(HostedMember member, int count) => Until.TrueAsync(
        () => DropsOf(member) == count, () => $"{count} wrong proofs, {DropsOf(member)} are counted");

    private static long DropsOf(HostedMember member) => member.Engine.Stats.Read()
        .Sum(static figures => figures.Drops.GetValueOrDefault(DropReason.WrongProof));

    private static async Task<TcpClient> ConnectAsync(HostedMember member, string line)
    {
        var client = new TcpClient();
        await client.ConnectAsync(member.Udp);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{line}\n"));
        return client;
    }

    /// <summary>So many bytes, or what comes before the end.</summary>
    private static async Task<string> ReadAsync(TcpClient client, int count)
    {
        var buffer = new byte[count];
        using var patience = new CancellationTokenSource(RunningProcess.Patience);
        var read = await client.GetStream().ReadAtLeastAsync(buffer, count, false, patience.Token);
        return Encoding.ASCII.GetString(buffer, 0, read);
    }

    private sealed class SilentHandler : Router.Sessions.SessionHandler;
}

using System.Net.Sockets;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Records in the formats of others: what reads theirs reads ours.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class AccessFormatTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Server = 48_090;

    /// <summary>The lines of their own documentation are read by the same pattern.</summary>
    [Theory]
    [InlineData("192.168.1.7 [06/Feb/2026:12:12:51 +0000] TCP 200 1024 96 12.345 \"10.0.0.1:80\" \"9\" \"10\" \"-\"")]
    public void A_line_of_nginx_is_one(string line) => Assert.Matches(Nginx(), line);

    [Theory]
    [InlineData("10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0")]
    [InlineData("127.0.0.1:39759 [06/Feb/2009:12:14:14.655] mail mail/<NOSRV> 0/-1/5007 0 SC 0/0/0/0/0 0/0")]
    public void A_line_of_haproxy_is_one(string line) => Assert.Matches(Haproxy(), line);

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task Nginx_s_lines_come_from_its_example()
    {
        var router = await StartAsync("hocon/examples/access-nginx.conf", 8081, $"folder=\"{Folder}\"");

        await TalkAsync(8081, 2);
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());

        var lines = await File.ReadAllLinesAsync(Path.Combine(Folder, "access.log"));
        Assert.Equal(2, lines.Length);
        Assert.All(lines, static line => Assert.Matches(Nginx(), line));
        Assert.Contains(" TCP 200 5 5 0.", lines[0], StringComparison.Ordinal);
        Assert.Contains($"\"127.0.0.1:{Server}\" \"5\" \"5\" \"0.0", lines[0], StringComparison.Ordinal);
        Assert.Empty(router.RecordsOf("session-closed"));
        Assert.NotEmpty(router.RecordsOf("stats"));
    }

    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task Haproxy_s_lines_come_from_its_example()
    {
        using var collector = await Network.RunAsync(static () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(Client.Loopback(48_514));
            socket.ReceiveTimeout = 20_000;
            return socket;
        });
        var router = await StartAsync(
            "hocon/examples/access-haproxy.conf", 2525, "collector=\"udp://127.0.0.1:48514\"");

        await TalkAsync(2525, 1);
        var message = new byte[2_000];
        var text = System.Text.Encoding.ASCII.GetString(message, 0, collector.Receive(message));

        Assert.StartsWith("<134>1 ", text, StringComparison.Ordinal);
        Assert.Contains($" haproxy {router.Id} session-closed - 127.0.0.1:", text, StringComparison.Ordinal);
        var line = text[(text.IndexOf(" - ", StringComparison.Ordinal) + 3)..];
        Assert.Matches(Haproxy(), line);
        Assert.Contains($" mail mail/127.0.0.1:{Server} 0/", line, StringComparison.Ordinal);
        Assert.Contains(" 5 -- 0/0/0/0/0 0/0", line, StringComparison.Ordinal);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_session_that_lasts_is_told_of_while_it_is_open()
    {
        var router = await RouterAsync(
            """
            router {
              log.access { long-session-interval = 1s, opened = on }
              listeners.echo { bind = "udp://127.0.0.1:47008", route = echo }
              routes.echo { type = echo }
            }
            """);
        using var client = await Network.RunAsync(static () => Client.Udp(47_008));
        await Network.RunAsync(() => Client.Exchange(client, "hello"u8));

        var opened = await router.RecordAsync("session-opened");
        var (first, second) = (await router.RecordAsync("session-open"), await router.RecordAsync("session-open", 1));

        Assert.Equal("info", opened.GetProperty("level").GetString());
        Assert.Equal(opened.GetProperty("session").GetString(), second.GetProperty("session").GetString());
        Assert.Equal(5, second.GetProperty("bytes-in").GetInt32());
        Assert.InRange(
            second.GetProperty("duration-ms").GetInt64() - first.GetProperty("duration-ms").GetInt64(), 500, 5_000);
    }

    [GeneratedRegex(
        @"^\S+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] (TCP|UDP) \d{3} \d+ \d+ \d+\.\d{3} "
        + @"""[^""]+"" ""\d+"" ""\d+"" ""(\d+\.\d{3}|-)""$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Nginx();

    [GeneratedRegex(
        @"^\S+:\d+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] \S+ \S+/\S+ -?\d+/-?\d+/\d+ \d+ [-A-Za-z]{2} "
        + @"\d+/\d+/\d+/\d+/\d+ \d+/\d+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Haproxy();

    private async Task<RouterProcess> StartAsync(string example, int port, string setting)
    {
        await ServerAsync("tcp", Server, "socat", $"TCP4-LISTEN:{Server},bind=127.0.0.1,fork", "EXEC:cat");
        var file = Path.Combine(AppContext.BaseDirectory, example);
        var router = await CommandAsync(
            ["run", "--config", file, "--set", $"servers=[\"127.0.0.1:{Server}\"]", "--set", setting]);
        await Until.TrueAsync(() => router.HasExited || router.Proc.IsBound("tcp", port), () => $"{router.Error}");
        Assert.False(router.HasExited, $"{router.Error}");
        return router;
    }

    private Task TalkAsync(int port, int times) => Network.RunAsync(() =>
    {
        for (var i = 0; i < times; i++)
        {
            using var client = Client.Tcp(port);
            Assert.Equal(5, Client.Exchange(client, "hello"u8).Length);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, client.Receive(new byte[1]));
        }
    });
}

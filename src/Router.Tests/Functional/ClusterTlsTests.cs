using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Router.Tests.Cluster;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Members trust one another by certificates of their authority, and nobody else.</summary>
[Collection(MemberTests.Name)]
public sealed class ClusterTlsTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 27200;
    private const string First = "127.0.0.1", Second = "127.0.0.2", Foreign = "127.0.0.3";

    [RequiresToolFact(RequiredTools.Namespace, "openssl")]
    public async Task Two_members_form_and_others_are_refused_with_a_line_a_second()
    {
        string ours = MakeFolder("ours"), theirs = MakeFolder("theirs");
        TestCertificates.Make(ours, First, Second);
        TestCertificates.Make(theirs, Foreign);
        TestCertificates.MakeExpired(ours, "127.0.0.4");
        var first = await MemberAsync(First, ours);
        var second = await MemberAsync(Second, ours);
        await first.RecordAsync("member-up", index: 1);
        await second.RecordAsync("member-up", index: 1);
        await ToolAsync("openssl", ["verify", "-CAfile", $"{ours}/ca.pem", $"{ours}/{First}.pem"]);
        var before = first.Records.Count;
        var began = TimeProvider.System.GetTimestamp();

        var third = await MemberAsync(Foreign, theirs);
        await RefusedAsync(first, "CN=127.0.0.3 is not of our authority");
        await RefusedAsync(third, "is not of our authority");
        third.Signal(TestLibc.SigKill);
        await third.ExitAsync();
        await ConnectAsync(
            first, "CN=127.0.0.4 is valid from", "-cert", $"{ours}/127.0.0.4.pem", "-key", $"{ours}/127.0.0.4-key.pem");
        await ConnectAsync(first, "it shows no certificate");
        await Network.RunAsync(() =>
        {
            using var client = Client.Tcp(Port);
            client.Send("GET / HTTP/1.0\r\n\r\n"u8);
            Assert.Equal(0, ReceivedOrReset(client));
        });
        await RefusedAsync(first, "no TLS handshake");

        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var lines = first.Records.Skip(before).ToList();
        Assert.InRange(lines.Count(static line => EventOf(line) == "member-refused"), 4, seconds + 2);
        Assert.DoesNotContain(lines, static line =>
            EventOf(line) != "member-refused" && $"{line}".Contains("TLS", StringComparison.Ordinal));
        Assert.DoesNotContain(third.Records, static record => EventOf(record) == "member-up");
        Assert.Equal(2, first.RecordsOf("member-up").Count);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_handshake_that_ends_in_the_middle_ends_no_member()
    {
        var ours = MakeFolder("ours");
        TestCertificates.Make(ours, First, Second);
        using var dying = await Network.RunAsync(static () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(Second), Port));
            socket.Listen();
            return socket;
        });
        var closing = CloseAllAsync(dying);

        var member = await MemberAsync(First, ours);
        await RefusedAsync(member, "ended the TLS handshake");

        await member.RecordAsync("member-up");
        Assert.False(member.HasExited);
        Assert.Equal("still"u8.ToArray(), await Network.RunAsync(static () =>
        {
            using var client = Client.Udp(47001);
            return Client.Exchange(client, "still"u8);
        }));
        dying.Close();
        await closing;
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_certificates_a_member_that_others_can_reach_is_refused_at_start()
    {
        var file = await RouterProcess.WriteAsync(Folder, Config(First, "bind-host = 0.0.0.0"));

        var router = await CommandAsync(["run", "--config", file]);

        Assert.Equal(1, await router.ExitAsync());
        var line = Assert.Single(router.Error.Lines);
        Assert.StartsWith($"{file}:", line, StringComparison.Ordinal);
        Assert.Contains("router.cluster.bind-host", line, StringComparison.Ordinal);
        Assert.Contains("router cluster certificates", line, StringComparison.Ordinal);
    }

    private static string? EventOf(JsonElement record) => record.GetProperty("event").GetString();

    private static Task RefusedAsync(RouterProcess member, string reason) => Until.TrueAsync(
        () => member.RecordsOf("member-refused").Any(record =>
            record.GetProperty("reason").GetString()!.Contains(reason, StringComparison.Ordinal)),
        () => $"member-refused: {reason}\n{member.Output}");

    /// <summary>Takes connections and closes them at their first bytes, as a member does that is killed.</summary>
    private static async Task CloseAllAsync(Socket listening)
    {
        try
        {
            while (true)
            {
                using var connection = await listening.AcceptAsync();
                await connection.ReceiveAsync(new byte[64]);
            }
        }
        catch (SocketException) when (!listening.IsBound || listening.SafeHandle.IsClosed)
        {
            // The test is over.
        }
        catch (ObjectDisposedException)
        {
            // Likewise.
        }
    }

    private static int ReceivedOrReset(Socket client)
    {
        try
        {
            return client.Receive(new byte[64]);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static string Config(string host, string more) =>
        $$"""
        router {
          loops = 1
          cluster {
            host = {{host}}
            port = {{Port}}
            seeds = ["{{First}}:{{Port}}", "{{Second}}:{{Port}}"]
            {{more}}
          }
          listeners.e { bind = "udp://{{host}}:47001", route = e }
          routes.e { type = echo }
        }
        """;

    private Task<RouterProcess> MemberAsync(string host, string folder) =>
        RouterAsync(Config(host, TestCertificates.Section(folder, host)));

    /// <summary>A client with TLS; it is refused whatever it shows.</summary>
    private async Task ConnectAsync(RouterProcess member, string reason, params string[] options)
    {
        var client = await ProgramAsync("openssl", ["s_client", "-connect", $"{First}:{Port}", .. options]);
        await RefusedAsync(member, reason);
        client.Input.Close();
        await client.ExitAsync();
    }

    private string MakeFolder(string name) => Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
}

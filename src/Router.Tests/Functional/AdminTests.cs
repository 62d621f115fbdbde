using System.Text.Json;
using System.Text.RegularExpressions;
using Router.Tests.Cluster;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The admin endpoint of the shipped program, asked by curl.</summary>
[Collection(ProgramTests.Name)]
public sealed partial class AdminTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private const string Echo = "listeners.a { bind = \"udp://127.0.0.1:5300\", route = b }, routes.b { type = echo }";

    [RequiresToolFact(RequiredTools.Namespace, "curl")]
    public async Task Every_line_of_the_page_works_as_it_stands()
    {
        // The built-in configuration, and a route with an upstream, which it has not.
        await RouterAsync(null, "--set", "router.listeners.front={bind=\"udp://127.0.0.1:5302\",route=back}",
            "--set", "router.routes.back={type=proxy,upstreams=[\"127.0.0.1:27199\"]}");
        TestCertificates.Make(Folder, "localhost");
        var socket = Path.Combine(Folder, "admin.sock");
        await RouterAsync($$"""
            router { loops = 1, admin.bind = "unix://{{socket}}", {{Echo}} }
            """);
        await RouterAsync($$"""
            router {
              loops = 1, listeners.a { bind = "udp://127.0.0.1:5301", route = b }, routes.b { type = echo }
              admin {
                bind = "0.0.0.0:27125", token = "{{Token}}"
                tls { certificate = "{{Folder}}/localhost.pem", key = "{{Folder}}/localhost-key.pem" }
              }
            }
            """);
        var lines = Line().Matches(Repository.Read("docs/admin.md"))
            .Select(static line => line.Groups[1].Value)
            .ToList();
        Assert.True(lines.Count > 10);

        using var one = await Network.RunAsync(static () => Client.Tcp(27123));
        using var two = await Network.RunAsync(static () => Client.Udp(27123));
        Assert.All([one, two], static client => Client.Exchange(client, "hello"u8));
        var listed = await ToolAsync("curl", ["-sS", "http://127.0.0.1:27124/sessions"]);
        using var sessions = JsonDocument.Parse(listed);
        var ids = sessions.RootElement.GetProperty("sessions").EnumerateArray()
            .Select(static session => session.GetProperty("session").GetString())
            .ToList();
        Assert.Equal(2, ids.Count);

        foreach (var line in lines.OrderBy(static line => line.EndsWith("/drain", StringComparison.Ordinal)))
        {
            var command = line
                .Replace("curl ", "curl -sS --fail-with-body ", StringComparison.Ordinal)
                .Replace("upstream=127.0.0.1:27123", "upstream=127.0.0.1:27199", StringComparison.Ordinal)
                .Replace("/run/router", Folder, StringComparison.Ordinal)
                .Replace("/etc/router", Folder, StringComparison.Ordinal);
            var answer = await ToolAsync("bash", ["-c", $"ROUTER_TOKEN={Token} ID={ids[0]} ID2={ids[1]}; {command}"]);
            Assert.StartsWith(
                command.Contains("curl -sS --fail-with-body -N", StringComparison.Ordinal) ? "data: {"
                : line.EndsWith("/metrics", StringComparison.Ordinal) ? "# TYPE" : "{",
                answer, StringComparison.Ordinal);
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "curl")]
    public async Task A_port_in_use_is_told_with_all_other_faults_and_ends_with_exit_code_2()
    {
        await RouterAsync(null);

        var second = await CommandAsync(["run"]);

        Assert.Equal(2, await second.ExitAsync());
        Assert.Equal(4, second.Error.Lines.Count);
        Assert.StartsWith("admin 127.0.0.1:27124: EADDRINUSE", second.Error.Lines[0], StringComparison.Ordinal);
    }

    [RequiresToolFact(RequiredTools.Namespace, "curl")]
    public async Task From_SIGTERM_on_it_is_not_ready_and_ends_with_exit_code_0()
    {
        var router = await RouterAsync($$"""
            router {
              loops = 1, admin.bind = "127.0.0.1:27124", drain-timeout = 20s, log.level = debug
              listeners.a { bind = "tcp://127.0.0.1:5300", route = b }
              routes.b { type = exec, command = ["/bin/cat"] }
            }
            """);
        await ToolAsync("curl", ["-sS", "--fail", "--retry", "5", "--retry-connrefused", Ready]);
        using var client = await Network.RunAsync(static () => Client.Tcp(5300));
        client.Send("x"u8);
        await router.RecordAsync("child-started");

        router.Signal(TestLibc.SigTerm);
        await router.RecordAsync("draining");
        var reply = await ToolAsync("curl", ["-sS", "-w", " %{http_code}", Ready]);

        Assert.Equal("{\"ok\":false,\"reasons\":[\"draining\"]} 503", reply);
        client.Close();
        Assert.Equal(0, await router.ExitAsync());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Without_it_no_part_of_the_server_is_loaded()
    {
        const string Server = "Microsoft.AspNetCore.Server.Kestrel.Core.dll";
        var without = await RouterAsync($"router {{ loops = 1, {Echo} }}");
        var with = await RouterAsync(null);

        await with.RecordAsync("admin-listening");

        Assert.Contains(Server, MapsOf(with), StringComparison.Ordinal);
        Assert.DoesNotContain(Server, MapsOf(without), StringComparison.Ordinal);
        Assert.DoesNotContain("Microsoft.AspNetCore.Hosting", MapsOf(without), StringComparison.Ordinal);
    }

    private const string Ready = "http://127.0.0.1:27124/ready";

    private static string MapsOf(RouterProcess router) => File.ReadAllText($"/proc/{router.Id}/maps");

    [GeneratedRegex(@"^    (curl .*)$", RegexOptions.Multiline, 1000)]
    private static partial Regex Line();
}

using System.Text.RegularExpressions;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The polling service of four lines, hocon/examples/polling.conf, asked by socat.</summary>
public sealed class ReplyTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace, "socat")]
    public async Task A_client_that_polls_is_told_who_it_is_how_often_it_asked_and_when()
    {
        await RouterAsync(Repository.Read("hocon/examples/polling.conf"));

        for (var count = 1; count <= 3; count++)
        {
            var answer = await ToolAsync(
                "socat", ["-t", "1", "-", "UDP:127.0.0.1:2210,bind=127.0.0.1:40001"], "Are you there?");
            Assert.Matches(
                new Regex(
                    $@"^I hear you, 127\.0\.0\.1:40001: {count} at \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z$",
                    RegexOptions.None,
                    TimeSpan.FromSeconds(1)),
                answer);
        }
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task An_answer_longer_than_its_question_allows_is_not_sent_and_is_recorded()
    {
        var router = await RouterAsync(
            $$"""
            router {
              log.stats-interval = 1s
              listeners.poll { bind = "udp://127.0.0.1:2210", route = hear }
              routes.hear { type = reply, text = "{count}{{new string('x', 64)}}" }
            }
            """);
        using var client = await Network.RunAsync(() => Client.Udp(2210));

        await Network.RunAsync(() => client.Send("short"u8));

        var drops = await router.RecordAsync("drops");
        Assert.Equal("amplification", drops.GetProperty("reason").GetString());
        Assert.Equal(1, drops.GetProperty("count").GetInt32());
        Assert.Equal(0, client.Available);
        Assert.Equal(65, await Network.RunAsync(() =>
        {
            client.Send(new byte[22]);
            return client.Receive(new byte[100]);
        }));
    }
}

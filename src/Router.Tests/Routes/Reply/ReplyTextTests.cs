using System.Text;
using Router.Configuration;
using Router.Routes;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ReplyTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("{peer}", "<Peer>")]
    [InlineData("at {time}: {count} of {peer}!", "at |<Time>|: |<Count>| of |<Peer>|!")]
    [InlineData("{count}{count}", "<Count>|<Count>")]
    [InlineData("{{peer}}", "{peer}")]
    [InlineData("{{{peer}}}", "{|<Peer>|}")]
    [InlineData("é{time}", "é|<Time>")]
    public void A_text_is_bytes_and_placeholders(string text, string expected)
    {
        Assert.True(ReplyText.TryParse(text, out var parts, out var fault), fault);
        Assert.Equal(expected, string.Join('|', parts.Select(static part => part.Literal is { } bytes
            ? Encoding.UTF8.GetString(bytes)
            : part == ReplyPart.Peer ? "<Peer>" : part == ReplyPart.Time ? "<Time>" : "<Count>")));
    }

    [Theory]
    [InlineData("{paer}", "'{paer}' is none of {peer}, {time}, {count}; did you mean 'peer'?")]
    [InlineData("{}", "'{}' is none of {peer}, {time}, {count}")]
    [InlineData("{ peer }", "'{ peer }' is none of")]
    [InlineData("{\\\"ok\\\":true}", "is written twice: {{")]
    [InlineData("{peer", "a '{' that is never closed; a brace of the text itself is written twice: {{")]
    [InlineData("peer}", "a '}' that closes nothing; a brace of the text itself is written twice: }}")]
    public void What_is_no_placeholder_is_refused_at_its_place(string text, string words)
    {
        var result = Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply,\n text = \"{text}\"");

        Loaded.Refuses(result, "router.routes.r.text", words);
        Assert.StartsWith("test.conf:4:2: ", Assert.Single(result.Faults).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_fits_a_datagram_whatever_the_placeholders_become()
    {
        var longest = new string('x', 65_507 - 19);
        Assert.Empty(Reply(longest + "{count}").Faults);
        Loaded.Refuses(Reply(longest + "x{count}"), "router.routes.r.text", "65508 bytes do not fit a datagram");
    }

    private static LoadResult Reply(string text) =>
        Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply, text = \"{text}\"");
}

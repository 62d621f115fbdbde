using System.Text;
using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class HardeningTests
{
    [Theory]
    [InlineData("[", "]")]
    [InlineData("{a=", "}")]
    public void Rule_31_512_levels_are_accepted_and_one_more_is_refused(string open, string close)
    {
        var inner = open == "[" ? "" : "1";
        HoconAssert.Parse("a=" + Repeat(open, 512) + inner + Repeat(close, 512));
        HoconAssert.Refuses("a=" + Repeat(open, 513) + inner + Repeat(close, 513), 1, 3 + (512 * open.Length), "512");
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a=")]
    [InlineData("{\"a\":")]
    [InlineData("a{")]
    [InlineData("[{a=")]
    public void Rule_31_a_hundred_thousand_brackets_are_refused(string open) =>
        HoconAssert.Refuses("x=" + Repeat(open, 100_000));

    [Theory]
    [InlineData("a.")]
    [InlineData("a. ")]
    public void Rule_31_a_path_of_a_hundred_thousand_elements_is_refused(string element)
    {
        HoconAssert.Refuses(Repeat(element, 100_000) + "a = 1");
        HoconAssert.Refuses("a = ${" + Repeat(element, 100_000) + "a}");
        HoconAssert.Refuses(Repeat("a { " + Repeat("a.", 100) + "b = 1, c ", 10) + Repeat("}", 10));
    }

    [Fact]
    public void Rule_31_levels_that_substitutions_build_are_refused_too()
    {
        var text = new StringBuilder("a0 = 1\n");
        for (var i = 1; i <= 600; i++)
        {
            text.Append($"a{i} = [${{a{i - 1}}}]\n");
        }

        HoconAssert.Refuses(text.ToString());
    }

    [Theory]
    [InlineData("a0 = xxxxxxxxxx", "NEW = ${OLD}${OLD}")]
    [InlineData("a0 = [1]", "NEW = ${OLD} ${OLD}")]
    [InlineData("a0 = [1]", "NEW = [${OLD}, ${OLD}]")]
    [InlineData("a0 = {x=1}", "NEW = {x=${OLD}, y=${OLD}}")]
    public void Rule_31_forty_doublings_are_refused(string first, string next)
    {
        var text = new StringBuilder(first + "\n");
        for (var i = 1; i <= 40; i++)
        {
            text.Append(next.Replace("NEW", $"a{i}").Replace("OLD", $"a{i - 1}")).Append('\n');
        }

        var refusal = Assert.Throws<HoconException>(() => HoconAssert.Parse(text.ToString()));
        Assert.Contains("expand to more", refusal.Message);
    }

    [Fact]
    public void Rule_31_long_chains_need_no_long_stack()
    {
        var text = new StringBuilder("a0 = x\n");
        for (var i = 1; i <= 4_000; i++)
        {
            text.Append($"a{i} = ${{a{i - 1}}}\n");
        }

        // Printed backwards, so that the first field asked for leads through all others.
        var reversed = string.Join('\n', text.ToString().Split('\n').Reverse());
        Assert.Equal("x", HoconAssert.Parse(reversed).GetString("a4000"));
        HoconAssert.Refuses(string.Join('\n', Enumerable.Range(0, 30_000).Select(i => $"a{i} = ${{a{i + 1}}}")));
    }

    [Fact]
    public void Rule_31_thousands_of_appends_and_merges_take_no_time()
    {
        var appended = HoconAssert.Parse(string.Join('\n', Enumerable.Range(0, 3_000).Select(i => $"a += {i}")));
        Assert.Equal(3_000, HoconReader.Elements(appended.GetValue("a")!)!.Count);
        var merged = HoconAssert.Parse(
            string.Join('\n', Enumerable.Range(0, 1_000).Select(i => $"a = ${{?a}} {{k{i} = {i}}}")));
        Assert.Equal(1_000, merged.Find("a")!.ReadObject().Fields.Count);
    }

    [Theory]
    [InlineData("a = x\n", "a = ${a}y\n")]
    [InlineData("o.a = x\n", "o.a = ${o.a}y\n")]
    [InlineData("", "a = ${?a}y\n")]
    public void Rule_31_ten_thousand_appends_to_a_text_are_one_text(string first, string next)
    {
        var config = HoconAssert.Parse(first + Repeat(next, 10_000));
        Assert.InRange(config.GetString(config.HasPath("o") ? "o.a" : "a")!.Length, 10_000, 10_001);
    }

    [Theory]
    [InlineData("a += 1\n")]
    [InlineData("a = ${?a} [1]\n")]
    public void Rule_31_twenty_thousand_appends_to_a_list_are_one_list(string next) =>
        Assert.Equal(20_000, HoconReader.Elements(HoconAssert.Parse(Repeat(next, 20_000)).GetValue("a")!)!.Count);

    [Fact]
    public void Rule_31_what_is_undefined_at_the_bottom_of_a_tall_stack_may_be_hidden()
    {
        var stack = Repeat("x.a = ${no.a}\n", 300);
        HoconAssert.Gives("""{"x":{"a":5},"b":{"a":5}}""", stack + "x.a = ${b.a}\nb.a = 5");
        HoconAssert.Refuses(stack);
    }

    [Fact]
    public void Rule_31_thousands_of_layers_cost_what_they_hold()
    {
        var text = new StringBuilder("b0 = {k = 1}\n");
        for (var i = 1; i <= 600; i++)
        {
            text.Append($"b{i} = ${{b{i - 1}}} {{k{i} = 1}}\n");
        }

        Assert.Equal(601, HoconAssert.Parse(text.ToString()).Find("b600")!.ReadObject().Fields.Count);
    }

    [Theory]
    [InlineData("a = [", "1,")]
    [InlineData("a = [", "{},")]
    [InlineData("", "a.b = 1, a = 1\n")]
    public void Rule_31_more_values_than_the_budget_are_refused_where_it_ends(string first, string next)
    {
        var refusal = Assert.Throws<HoconException>(() => HoconAssert.Parse(first + Repeat(next, 1_250_001)));
        Assert.Contains("keys and values", refusal.Message);
        Assert.True(refusal.Origin is { Line: > 0, Column: > 0 });
    }

    [Fact]
    public void Rule_31_a_value_of_many_words_is_one_text() =>
        Assert.Equal(799_999, HoconAssert.Parse("a = " + Repeat("x ", 400_000)).GetString("a")!.Length);

    [Fact]
    public void Rule_31_deep_levels_are_not_indented_for_ever()
    {
        var config = HoconAssert.Parse("a=" + Repeat("[", 500) + Repeat("1,", 10_000) + Repeat("]", 500));
        Assert.InRange(HoconJson.Print(config.Root).Length, 10_000, 1_000_000);
    }

    [Fact]
    public void Rule_31_no_random_text_does_worse_than_being_refused()
    {
        string[] pieces =
        [
            "a", "b", ".", "=", ":", "+=", "{", "}", "[", "]", ",", "\n", " ", "${a}", "${?b}", "${a.b}", "\"q\"",
            "\"\"\"t\"\"\"", "1", "true", "null", "#c\n", "//", "include ", "-", "e", "\\", "$", "\u00a0", "${?b[]}",
            "x.y",
        ];
        var random = new Random(20_240_601);
        var accepted = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(random.GetItems(pieces, random.Next(1, 24)));
            try
            {
                var config = HoconAssert.Parse(text);
                HoconAssert.Gives(config.ToString(), config.ToString());
                accepted++;
            }
            catch (HoconException e)
            {
                Assert.True(e.Origin.Line > 0 && e.Origin.Column > 0, $"no place for {text}");
            }
        }

        Assert.InRange(accepted, 500, 19_500);
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}

using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class ConfigTests
{
    [Theory]
    [InlineData("10", 10)]
    [InlineData("10ms", 10)]
    [InlineData("\" 10 ms \"", 10)]
    [InlineData("0.5s", 500)]
    [InlineData("2 seconds", 2_000)]
    [InlineData("3m", 180_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("-1s", -1_000)]
    [InlineData("5000us", 5)]
    [InlineData("2000000 nanoseconds", 2)]
    [InlineData("infinite", -1)]
    public void Rule_28_durations_have_units(string text, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), HoconAssert.Parse($"a = {text}").GetTimeSpan("a"));

    [Theory]
    [InlineData("1 00 s")]
    [InlineData("100 dollars")]
    [InlineData("10 S")]
    [InlineData("s")]
    [InlineData("\"\"")]
    [InlineData("1e30 d")]
    public void Rule_28_what_is_no_duration_is_refused_by_key_and_place(string text)
    {
        var config = HoconAssert.Parse($"x = 1\na.b = {text}");
        var refusal = Assert.Throws<HoconException>(() => config.GetTimeSpan("a.b"));
        Assert.StartsWith("test.conf:2:1: a.b: ", refusal.Message);
    }

    [Theory]
    [InlineData("5", 5L)]
    [InlineData("5 B", 5L)]
    [InlineData("2k", 2L << 10)]
    [InlineData("2K", 2L << 10)]
    [InlineData("2 Ki", 2L << 10)]
    [InlineData("2 KiB", 2L << 10)]
    [InlineData("2 kB", 2_000L)]
    [InlineData("2M", 2L << 20)]
    [InlineData("2 MB", 2_000_000L)]
    [InlineData("0.5 GiB", 1L << 29)]
    [InlineData("1 terabyte", 1_000_000_000_000L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("7 EiB", 7L << 60)]
    public void Rule_29_sizes_have_units(string text, long bytes) =>
        Assert.Equal(bytes, HoconAssert.Parse($"a = {text}").GetByteSize("a"));

    [Theory]
    [InlineData("-1", "0 to 2^63-1")]
    [InlineData("8 EiB", "0 to 2^63-1")]
    [InlineData("1 YiB", "0 to 2^63-1")]
    [InlineData("9223372036854775808", "0 to 2^63-1")]
    [InlineData("2 KB", "kB for 1000 bytes or KiB for 1024")]
    [InlineData("2 apples", "no unit of size")]
    public void Rule_29_what_is_no_size_is_refused_with_a_hint(string text, string words)
    {
        var refusal = Assert.Throws<HoconException>(() => HoconAssert.Parse($"a = {text}").GetByteSize("a"));
        Assert.Contains(words, refusal.Message);
    }

    [Fact]
    public void Rule_30_booleans_have_six_names()
    {
        Assert.All(["true", "yes", "on", "\"on\""], w => Assert.True(HoconAssert.Parse($"a = {w}").GetBoolean("a")));
        Assert.All(["false", "no", "off"], w => Assert.False(HoconAssert.Parse($"a = {w}").GetBoolean("a", true)));
        Assert.All(["1", "TRUE", "y", "\"\""],
            w => Assert.Throws<HoconException>(() => HoconAssert.Parse($"a = {w}").GetBoolean("a")));
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("{}", "an object")]
    [InlineData("[1]", "an array")]
    public void Rule_30_null_objects_and_arrays_are_no_scalars(string value, string found)
    {
        var config = HoconAssert.Parse($"b {{\n  c = {value}\n}}");
        Action[] readers =
        [
            () => config.GetString("b.c"), () => config.GetInt("b.c"), () => config.GetLong("b.c"),
            () => config.GetBoolean("b.c"), () => config.GetDouble("b.c"), () => config.GetTimeSpan("b.c"),
            () => config.GetByteSize("b.c"),
        ];
        foreach (var read in readers)
        {
            var refusal = Assert.Throws<HoconException>(read);
            Assert.StartsWith("test.conf:2:3: b.c: ", refusal.Message);
            Assert.EndsWith($"not {found}", refusal.Message);
        }
    }

    [Fact]
    public void Numbers_and_texts_convert_both_ways()
    {
        var config = HoconAssert.Parse("a = 1e2, b = \"5\", c = 1.5, d = true");
        Assert.Equal(100, config.GetInt("a"));
        Assert.Equal(5, config.GetInt("b"));
        Assert.Equal(1.5, config.GetDouble("c"));
        Assert.Equal("1e2", config.GetString("a"));
        Assert.Equal("true", config.GetString("d"));
        Assert.Throws<HoconException>(() => config.GetInt("c"));
        Assert.Throws<HoconException>(() => HoconAssert.Parse("a = 3000000000").GetInt("a"));
        Assert.Equal(3_000_000_000, HoconAssert.Parse("a = 3000000000").GetLong("a"));
    }

    [Fact]
    public void A_missing_path_gives_the_default()
    {
        var config = HoconAssert.Parse("a = 1");
        Assert.Null(config.GetString("x.y"));
        Assert.Equal("d", config.GetString("x", "d"));
        Assert.Equal(7, config.GetInt("x", 7));
        Assert.Equal(TimeSpan.FromSeconds(1), config.GetTimeSpan("a.x", TimeSpan.FromSeconds(1)));
        Assert.Null(config.GetByteSize("x"));
        Assert.Null(config.GetConfig("x"));
        Assert.Empty(config.GetStringList("x"));
        Assert.False(config.HasPath("a.b"));
        Assert.True(config.HasPath("a"));
    }

    [Fact]
    public void Rule_27_a_list_may_be_an_object_with_numbers_for_keys()
    {
        Assert.Equal(["x", "y"], HoconAssert.Parse("a { 10 = y, 9 = x, z = no }").GetStringList("a"));
        Assert.Equal(["1", "true"], HoconAssert.Parse("a = [1, true]").GetStringList("a"));
        Assert.Throws<HoconException>(() => HoconAssert.Parse("a {}").GetStringList("a"));
        Assert.Throws<HoconException>(() => HoconAssert.Parse("a = [[1]]").GetStringList("a"));
    }

    [Fact]
    public void A_key_knows_where_it_stands()
    {
        var config = HoconAssert.Parse("a = 1\n  b {\n    c = 2\n  }\nd = 1\nd = ${?NOTHING}");
        Assert.Equal(new HoconOrigin("test.conf", 3, 5), config.GetOrigin("b.c"));
        Assert.Equal(new HoconOrigin("test.conf", 5, 1), config.GetOrigin("d"));
        Assert.Null(config.GetOrigin("x"));
    }

    [Fact]
    public void Printed_JSON_reads_back_the_same()
    {
        var config = HoconAssert.Parse("a = \"\\u0001\\u2028é😀\\\\\\\"\\n\", b = [1, {c = []}, {}], d = null");
        HoconAssert.Gives(config.ToString(), config.ToString());
        Assert.Equal("\u0001\u2028é😀\\\"\n", HoconAssert.Parse(config.ToString()).GetString("a"));
    }

    [Fact]
    public void It_knows_which_keys_were_never_read_and_where_they_stand()
    {
        var config = HoconAssert.Parse("a = 1, b { c = 2, d = 3 }\ne { f = 4, \"g.h\" = 5 }, i { j = 6 }, k = {}");
        Assert.Equal(["a", "b.c", "b.d", "e.f", "e.\"g.h\"", "i.j", "k"], config.UnreadKeys.Select(k => k.Key));

        config.GetInt("a");
        config.GetConfig("b")!.GetInt("d");
        config.GetInt("e.\"g.h\"");
        config.GetValue("i");
        config.GetInt("absent");

        Assert.Equal(["b.c", "e.f", "k"], config.UnreadKeys.Select(k => k.Key));
        Assert.Equal(new HoconOrigin("test.conf", 2, 5), config.UnreadKeys[1].Value);
        Assert.Equal(["b.c"], config.GetConfig("b")!.UnreadKeys.Select(k => k.Key));
    }
}

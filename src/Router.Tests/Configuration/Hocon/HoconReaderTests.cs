using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class HoconReaderTests
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
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Field($"a = {text}").ReadDuration(allowInfinite: true));

    [Theory]
    [InlineData("1 00 s")]
    [InlineData("100 dollars")]
    [InlineData("10 S")]
    [InlineData("s")]
    [InlineData("\"\"")]
    [InlineData("1e30 d")]
    public void Rule_28_what_is_no_duration_is_refused_by_place(string text)
    {
        var field = HoconAssert.Parse($"x = 1\na.b = {text}").Find("a.b")!;
        var refusal = Assert.Throws<HoconException>(() => field.ReadDuration(allowInfinite: true));
        Assert.StartsWith("test.conf:2:1: ", refusal.Message);
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
        Assert.Equal(bytes, Field($"a = {text}").ReadSize());

    [Theory]
    [InlineData("-1", "0 to 2^63-1")]
    [InlineData("8 EiB", "0 to 2^63-1")]
    [InlineData("1 YiB", "0 to 2^63-1")]
    [InlineData("9223372036854775808", "0 to 2^63-1")]
    [InlineData("2 KB", "kB for 1000 bytes or KiB for 1024")]
    [InlineData("2 apples", "no unit of size")]
    public void Rule_29_what_is_no_size_is_refused_with_a_hint(string text, string words)
    {
        var refusal = Assert.Throws<HoconException>(() => Field($"a = {text}").ReadSize());
        Assert.Contains(words, refusal.Message);
    }

    [Fact]
    public void Rule_30_booleans_have_six_names()
    {
        Assert.All(["true", "yes", "on", "\"on\""], w => Assert.True(Field($"a = {w}").ReadBoolean()));
        Assert.All(["false", "no", "off"], w => Assert.False(Field($"a = {w}").ReadBoolean()));
        Assert.All(["1", "TRUE", "y", "\"\""],
            w => Assert.Throws<HoconException>(() => Field($"a = {w}").ReadBoolean()));
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("{}", "an object")]
    [InlineData("[1]", "an array")]
    public void Rule_30_null_objects_and_arrays_are_no_scalars(string value, string found)
    {
        var field = HoconAssert.Parse($"b {{\n  c = {value}\n}}").Find("b.c")!;
        Action[] readers =
        [
            () => field.ReadText(), () => field.ReadInteger(), () => field.ReadBoolean(),
            () => field.ReadDuration(allowInfinite: true), () => field.ReadSize(),
        ];
        foreach (var read in readers)
        {
            var refusal = Assert.Throws<HoconException>(read);
            Assert.StartsWith("test.conf:2:3: ", refusal.Message);
            Assert.EndsWith($"not {found}", refusal.Message);
        }
    }

    [Fact]
    public void Numbers_and_texts_convert_both_ways()
    {
        Assert.Equal(100, Field("a = 1e2").ReadInteger());
        Assert.Equal(5, Field("a = \"5\"").ReadInteger());
        Assert.Equal("1e2", Field("a = 1e2").ReadText());
        Assert.Equal("true", Field("a = true").ReadText());
        Assert.Throws<HoconException>(() => Field("a = 1.5").ReadInteger());
        Assert.Throws<HoconException>(() => Field("a = 3000000000").ReadInteger());
    }

    [Fact]
    public void Rule_27_a_list_may_be_an_object_with_numbers_for_keys()
    {
        Assert.Equal(["x", "y"], Elements("a { 10 = y, 9 = x, z = no }"));
        Assert.Equal(["1", "true"], Elements("a = [1, true]"));
        Assert.Null(Elements("a {}"));
        Assert.Null(Elements("a = 1"));

        static IEnumerable<string>? Elements(string hocon) =>
            HoconReader.Elements(Field(hocon).Value)?.Select(static element => ((HoconScalar)element).Text);
    }

    [Fact]
    public void A_key_knows_where_it_stands()
    {
        var config = HoconAssert.Parse("a = 1\n  b {\n    c = 2\n  }\nd = 1\nd = ${?NOTHING}");
        Assert.Equal(new HoconOrigin("test.conf", 3, 5), config.Find("b.c")!.KeyOrigin);
        Assert.Equal(new HoconOrigin("test.conf", 5, 1), config.Find("d")!.KeyOrigin);
    }

    [Fact]
    public void Printed_JSON_reads_back_the_same()
    {
        var config = HoconAssert.Parse("a = \"\\u0001\\u2028é😀\\\\\\\"\\n\", b = [1, {c = []}, {}], d = null");
        HoconAssert.Gives(config.ToString(), config.ToString());
        Assert.Equal("\u0001\u2028é😀\\\"\n", HoconAssert.Parse(config.ToString()).GetString("a"));
    }

    [Fact]
    public void Printed_JSON_shows_every_character()
    {
        const string Text = "x\u202e\u200b\u00ad\ufeff";
        var printed = HoconAssert.Parse($"a = \"{Text}\"").ToString();
        Assert.Contains("\"x\\u202e\\u200b\\u00ad\\ufeff\"", printed, StringComparison.Ordinal);
        Assert.Equal(Text, HoconAssert.Parse(printed).GetString("a"));
    }

    private static HoconField Field(string hocon) => HoconAssert.Parse(hocon).Find("a")!;
}

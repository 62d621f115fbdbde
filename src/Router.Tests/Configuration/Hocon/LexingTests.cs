using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class LexingTests
{
    [Theory]
    [InlineData("a = foo$bar", 8)]
    [InlineData("a = foo`", 8)]
    [InlineData("a = foo^", 8)]
    [InlineData("a = foo?", 8)]
    [InlineData("a = foo!", 8)]
    [InlineData("a = foo@bar", 8)]
    [InlineData("a = foo*", 8)]
    [InlineData("a = foo&", 8)]
    [InlineData("a = foo\\", 8)]
    [InlineData("a = foo+bar", 8)]
    [InlineData("a = 1e+x", 5)]
    public void Rule_01_reserved_characters_are_refused_outside_quotes(string text, int column) =>
        HoconAssert.Refuses(text, 1, column, "");

    [Theory]
    [InlineData("a = b:c", 6)]
    [InlineData("a = b=c", 6)]
    public void Rule_01_a_separator_inside_a_value_is_refused(string text, int column) =>
        HoconAssert.Refuses(text, 1, column, "cannot stand in a value");

    [Fact]
    public void Rule_01_round_brackets_and_signs_are_plain_text() =>
        HoconAssert.Gives("""{"a":"f(x)-_/.~;<>|%'y"}""", "a = f(x)-_/.~;<>|%'y // comment");

    [Theory]
    [InlineData("10x", "10x")]
    [InlineData("1.0.0", "1.0.0")]
    [InlineData("-x", "-x")]
    [InlineData("1e3e3", "1e3e3")]
    [InlineData("10.0bar", "10.0bar")]
    [InlineData("2024-01-02", "2024-01-02")]
    [InlineData("truefoo", "truefoo")]
    [InlineData("footrue", "footrue")]
    [InlineData("nullify", "nullify")]
    [InlineData(".5", ".5")]
    public void Rule_02_numbers_and_words_joined_to_text_are_text(string value, string expected) =>
        HoconAssert.Gives($$"""{"a":"{{expected}}"}""", $"a = {value}");

    [Theory]
    [InlineData("-1", "-1")]
    [InlineData("1e+5", "1e+5")]
    [InlineData("1E-5", "1E-5")]
    [InlineData("007", "7")]
    [InlineData("1.", "1")]
    [InlineData("-.5", "-0.5")]
    [InlineData("0.50", "0.50")]
    [InlineData("00", "0")]
    public void Rule_02_numbers_print_as_JSON_numbers(string value, string printed) =>
        Assert.Equal($"{{\"a\":{printed}}}", HoconAssert.Parse($"a = {value}").Root.ToString());

    [Theory]
    [InlineData("\u00a0")]
    [InlineData("\u2007")]
    [InlineData("\u202f")]
    [InlineData("\u2028")]
    [InlineData("\u2029")]
    [InlineData("\u3000")]
    [InlineData("\ufeff")]
    [InlineData("\t\v\f\r")]
    [InlineData("\u001c\u001d\u001e\u001f")]
    public void Rule_03_every_separator_of_Unicode_is_a_blank(string blank)
    {
        HoconAssert.Gives("""{"a":1}""", $"{blank}a{blank}={blank}1{blank}");
        Assert.Equal($"x{blank}y", HoconAssert.Parse($"a = x{blank}y").GetString("a"));
    }

    [Theory]
    [InlineData("a=1\rb=2")]
    [InlineData("a=1\u0085b=2")]
    [InlineData("a=1\u2028b=2")]
    public void Rule_03_only_the_line_feed_separates(string text) => HoconAssert.Refuses(text);

    [Fact]
    public void Rule_03_carriage_returns_before_line_feeds_do_no_harm() =>
        HoconAssert.Gives("""{"a":"x y","b":[1,2]}""", "a = x y\r\nb = [1\r\n2]\r\n");

    [Theory]
    [InlineData("a=1\nb = \"x\ty\"", 2, 7, "U+0009")]
    [InlineData("a = \"x\ny\"", 1, 7, "three quotes")]
    [InlineData("a = \"x\u0000y\"", 1, 7, "U+0000")]
    [InlineData("\n\na = \"\\x\"", 3, 6, "escape")]
    [InlineData("a = \"\\u12g4\"", 1, 6, "four hexadecimal")]
    [InlineData("a = \"never", 1, 5, "never closed")]
    [InlineData("a = \"\"\"never\"\"", 1, 5, "never closed")]
    public void Rule_04_bad_quoted_text_is_refused_where_it_is(string text, int line, int column, string words) =>
        HoconAssert.Refuses(text, line, column, words);

    [Fact]
    public void Rule_04_the_escapes_of_JSON_are_understood() =>
        Assert.Equal("\"\\/\b\f\n\r\té😀",
            HoconAssert.Parse("""a = "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00" """).GetString("a"));

    [Fact]
    public void Rule_04_bytes_that_are_not_UTF_8_are_refused_with_their_place()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("bad.conf", [.. "a = 1\nb = \"x"u8, 0xC3, 0x28, .. "\""u8]);
        var refusal = Assert.Throws<HoconException>(() => Config.ParseFile(file, _ => null));
        Assert.Equal(new HoconOrigin(file, 2, 7), refusal.Origin);
    }

    [Fact]
    public void Rule_04_a_byte_order_mark_takes_no_column_of_the_first_line()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("bad.conf", [0xEF, 0xBB, 0xBF, .. "a = "u8, 0xFF]);
        var refusal = Assert.Throws<HoconException>(() => Config.ParseFile(file, _ => null));
        Assert.Equal(new HoconOrigin(file, 1, 5), refusal.Origin);
    }

    [Fact]
    public void Rule_05_three_quotes_take_all_as_it_is()
    {
        HoconAssert.Gives("""{"a":"x\\n${b}\"\"y"}""", "a = \"\"\"x\\n${b}\"\"y\"\"\"");
        HoconAssert.Gives("""{"a":"\"x\"\""}""", "a = \"\"\"\"x\"\"\"\"\"");
        HoconAssert.Gives("""{"a":"${b}"}""", "a = \"${b}\"");
    }

    [Fact]
    public void Rule_05_lines_inside_three_quotes_count() =>
        HoconAssert.Refuses("a = \"\"\"1\n2\n3\"\"\"\nb = *", 4, 5, "reserved");

    [Theory]
    [InlineData("")]
    [InlineData("  \n\t\n")]
    [InlineData("# nothing\n// at all")]
    [InlineData("{}")]
    public void Rule_06_nothing_is_an_empty_object(string text) => HoconAssert.Gives("{}", text);

    [Theory]
    [InlineData("a = 1\n}", 2, 1)]
    [InlineData("{ a = 1", 1, 1)]
    [InlineData("a = [1, 2", 1, 5)]
    [InlineData("{} b = 1", 1, 4)]
    [InlineData("a = [1}", 1, 7)]
    [InlineData("a = {b = 1]", 1, 11)]
    public void Rule_06_brackets_must_balance(string text, int line, int column) =>
        HoconAssert.Refuses(text, line, column, "");

    [Fact]
    public void Rule_06_a_root_array_parses_but_is_no_configuration()
    {
        Assert.IsType<ArrayNode>(new HoconLoader().LoadText("[1, 2]", "x"));
        HoconAssert.Refuses("\n [1, 2]", 2, 2, "must be an object");
    }
}

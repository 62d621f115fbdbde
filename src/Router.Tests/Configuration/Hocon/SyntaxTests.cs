namespace Router.Tests.Configuration.Hocon;

public sealed class SyntaxTests
{
    [Theory]
    [InlineData("a=[1,2,3,]", "[1,2,3]")]
    [InlineData("a=[1\n2\n3]", "[1,2,3]")]
    [InlineData("a=[1\n,2\n,\n3\n,\n]", "[1,2,3]")]
    [InlineData("a=[1 2 3]", "[\"1 2 3\"]")]
    [InlineData("a=[]", "[]")]
    [InlineData("a=[\n]", "[]")]
    public void Rule_07_a_comma_or_a_line_separates(string text, string a) =>
        HoconAssert.Gives($$"""{"a":{{a}}}""", text);

    [Theory]
    [InlineData("a=[,1]")]
    [InlineData("a=[1,,2]")]
    [InlineData("a=[1,2,,]")]
    [InlineData("a=[,]")]
    [InlineData("{,a=1}")]
    [InlineData("{a=1,,b=2}")]
    [InlineData("{a=1,\n,b=2}")]
    [InlineData("{a=1,,}")]
    [InlineData("a={} b={}")]
    [InlineData("a=\"x\" b=1")]
    public void Rule_07_leading_double_and_missing_commas_are_refused(string text) => HoconAssert.Refuses(text);

    [Fact]
    public void Rule_08_a_brace_needs_no_separator_and_the_others_are_equal() =>
        HoconAssert.Gives("""{"a":{"x":1},"b":{"x":2},"c":{"x":3},"d":{"x":4}}""",
            "a {x:1}\nb\n\n{x=2}, c : {x : 3}\nd = \n {x \n : \n 4}");

    [Theory]
    [InlineData("a + = 1", 1, 3)]
    [InlineData("a 1", 1, 4)]
    [InlineData("\n a 1\nb = 2", 2, 2)]
    [InlineData("a", 1, 2)]
    [InlineData("a =", 1, 4)]
    [InlineData("a = ,", 1, 5)]
    [InlineData("{a = }", 1, 6)]
    [InlineData("= 1", 1, 1)]
    public void Rule_08_a_field_that_is_not_whole_is_refused(string text, int line, int column) =>
        HoconAssert.Refuses(text, line, column, "");

    [Theory]
    [InlineData("a =   x \t  y   # end", "x \t  y")]
    [InlineData("a = x \"y\"z 1  true", "x yz 1  true")]
    [InlineData("a = \" x \" y", " x  y")]
    [InlineData("a = x\nb = y", "x")]
    public void Rule_09_inner_blanks_stay_and_outer_ones_go(string text, string expected) =>
        Assert.Equal(expected, HoconAssert.Parse(text).GetString("a"));

    [Fact]
    public void Rule_10_alone_a_value_keeps_its_type_joined_it_is_text_as_written() =>
        HoconAssert.Gives(
            """{"a":true,"b":5,"c":null,"d":"1e5 x","e":"1.50x","f":"007 x","g":"null x","h":"null true 1"}""",
            "a=true\nb=5\nc=null\nd=1e5 x\ne=1.50x\nf=007 x\ng=null x\nh=${c} ${a} 1");

    [Fact]
    public void Rule_11_arrays_concatenate_and_objects_merge() =>
        HoconAssert.Gives("""{"a":[1,2,3],"b":{"x":1,"y":3,"z":4},"c":[1,2,3,4],"d":{"x":1,"y":3,"z":4,"w":5}}""",
            "a=[1, 2] [3]\nb={x:1, y:2} {y:3} {z:4}\nc=${a} [4]\nd=${b} {w:5}");

    [Fact]
    public void Rule_11_unquoted_blanks_between_objects_or_arrays_vanish()
    {
        HoconAssert.Gives("""{"a":{"x":1},"b":{"y":2},"c":{"x":1,"y":2}}""", "a={x:1}\nb={y:2}\nc=${a}  ${b}");
        HoconAssert.Gives("""{"a":[1],"c":[1,1]}""", "a=[1]\nc=${a} ${a}");
    }

    [Theory]
    [InlineData("a={x:1}\nc=${a}\" \"${a}", 2, 7)]
    [InlineData("a=[1]\nc=${a}\" \"${a}", 2, 7)]
    [InlineData("a={x:1} [2]", 1, 3)]
    [InlineData("a=[2] text", 1, 7)]
    [InlineData("a=text {x:1}", 1, 3)]
    [InlineData("a={x:1} null", 1, 9)]
    [InlineData("a=null\nb={x:1} ${a}", 2, 9)]
    public void Rule_11_kinds_do_not_mix(string text, int line, int column) =>
        HoconAssert.Refuses(text, line, column, "cannot be joined");

    [Theory]
    [InlineData("a=[1] x\na=5", 1, 7)]
    [InlineData("a=x {y:1}\na=5", 1, 3)]
    [InlineData("a=[1] ${?no} null\na=5", 1, 14)]
    [InlineData("a=[{b:[1]\"\"}]\na=5", 1, 10)]
    public void Rule_11_kinds_do_not_mix_even_where_a_later_value_hides_them(string text, int line, int column) =>
        HoconAssert.Refuses(text, line, column, "cannot be joined");

    [Fact]
    public void Rule_12_keys_join_too() =>
        HoconAssert.Gives("""{"a b c":1,"3":{"14":"x"},"true":"x","a":{"":{"b":2}},"q.r":{"s":3},"10":{"0foo":4}}""",
            "a b c = 1\n3.14 = x\ntrue = x\na.\"\".b = 2\n\"q.r\".s = 3\n10.0foo = 4");

    [Theory]
    [InlineData("a..b = 1")]
    [InlineData(".a = 1")]
    [InlineData("a. = 1")]
    [InlineData("a = ${b.}")]
    [InlineData("a = ${.b}")]
    [InlineData("a = ${}")]
    [InlineData("a = ${?}")]
    [InlineData("a = ${b\n}")]
    [InlineData("a = ${b")]
    [InlineData("${b} = 1")]
    [InlineData("a${b} = 1")]
    [InlineData("[a] = 1")]
    public void Rule_12_paths_with_gaps_are_refused(string text) => HoconAssert.Refuses(text);

    [Fact]
    public void Rule_12_a_quoted_key_with_a_dot_stays_one_element_in_merges_and_fallbacks()
    {
        var config = HoconAssert.Parse("\"a.b\" = {x = 1}, \"a.b\" = {y = 2}")
            .WithFallback(HoconAssert.Parse("\"a.b\" { z = 3 }, a.b = 4"));
        HoconAssert.SameJson("""{"a.b":{"x":1,"y":2,"z":3},"a":{"b":4}}""", config.ToString());
        Assert.Equal(2, config.GetInt("\"a.b\".y"));
        Assert.Equal(4, config.GetInt("a.b"));
    }

    [Fact]
    public void Rule_12_blanks_in_a_path_belong_to_its_elements() =>
        HoconAssert.Gives("""{"a ":{" b":1},"x":1}""", " a . b = 1, x = ${ a . b }");

    [Theory]
    [InlineData("include \"x\"\n= 1")]
    [InlineData("include = 1")]
    [InlineData("include x")]
    [InlineData("include \"x\" \"y\"")]
    [InlineData("include ${x}")]
    [InlineData("include file (\"x\")")]
    [InlineData("include file(\"x\"")]
    [InlineData("include file(\"x\"))")]
    [InlineData("include file(x)")]
    [InlineData("include required(required(\"x\"))")]
    [InlineData("include other(\"x\")")]
    public void Rule_21_an_include_takes_one_quoted_text(string text) => HoconAssert.Refuses(text);

    [Theory]
    [InlineData("include url(\"http://127.0.0.1/x.conf\")")]
    [InlineData("include required(classpath(\"x.conf\"))")]
    [InlineData("include \"http://127.0.0.1/x.conf\"")]
    public void Rule_21_networks_and_assemblies_are_refused(string text) =>
        HoconAssert.Refuses(text, 1, text.Contains('(') ? 1 : 9, "from files only");

    [Fact]
    public void Rule_25_include_is_an_ordinary_word_elsewhere() =>
        HoconAssert.Gives("""{"foo include":1,"x":"include","include":2,"y":["include"],"a":{"include":3}}""",
            "foo include = 1, x = include, \"include\" = 2, y = [include], a.include = 3");
}

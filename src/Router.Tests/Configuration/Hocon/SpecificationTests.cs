namespace Router.Tests.Configuration.Hocon;

/// <summary>Further cases of the specification, HOCON.md, by its sections.</summary>
public sealed class SpecificationTests
{
    [Theory]
    [InlineData("a : true \"xyz\" 123 foo  ", "true xyz 123 foo")]
    [InlineData("x = 1, a = ${x}foo${x}", "1foo1")]
    [InlineData("x = 1, a = ${x} ${x}\t${x}  # end", "1 1\t1")]
    [InlineData("x = 1, a = -${x}.5", "-1.5")]
    [InlineData("x = v, a = \"\"${x}\"\"", "v")]
    [InlineData("x = 1.50, a = ${x}s", "1.50s")]
    [InlineData("a = 1.0.0-rc.1", "1.0.0-rc.1")]
    [InlineData("a = 100%", "100%")]
    [InlineData("a = /usr/local/bin", "/usr/local/bin")]
    [InlineData("a = \"x\"\"\"\"y\"\"\"", "xy")]
    [InlineData("a = null foo", "null foo")]
    [InlineData("a = 1 2 3 // no", "1 2 3")]
    [InlineData("a = x//y", "x")]
    public void Text_is_joined_as_written(string text, string expected) =>
        Assert.Equal(expected, HoconAssert.Parse(text).GetString("a"));

    [Theory]
    [InlineData("x=[1,2], y=[5,6], a = ${x} [3,4] ${y}", "[1,2,3,4,5,6]")]
    [InlineData("a = [1,2\n] [3,4]", "[1,2,3,4]")]
    [InlineData("a = [ {b:c} {x:y} ]", """[{"b":"c","x":"y"}]""")]
    [InlineData("a = [ {b:c}\n {x:y} ]", """[{"b":"c"},{"x":"y"}]""")]
    [InlineData("a = [ [1,2] [3,4] ]", "[[1,2,3,4]]")]
    [InlineData("a = [ [1,2]\n [3,4] ]", "[[1,2],[3,4]]")]
    [InlineData("a = [ foo\n bar\n 10 ]", """["foo","bar",10]""")]
    [InlineData("a = [ ${?no} ${?no} ]", """[" "]""")]
    [InlineData("a = [ ${?no}${?no} ]", "[]")]
    [InlineData("a = { b : 3 }, a = { b : 2 } ${a}", """{"b":3}""")]
    [InlineData("x={a:0}, y={c:2}, a = ${x} {b:1} ${y}", """{"a":0,"b":1,"c":2}""")]
    [InlineData("a = {b:1} {b:2} {b:{c:1}} {b:{d:2}}", """{"b":{"c":1,"d":2}}""")]
    [InlineData("n={\"1\":b, \"0\":a}, a = ${n} [c]", """["a","b","c"]""")]
    public void Arrays_and_objects_are_joined_on_one_line(string text, string a) =>
        Assert.Equal(a, HoconAssert.Parse(text).GetValue("a")!.ToString());

    [Theory]
    [InlineData("a = [1,2]\n[3]")]
    [InlineData("a = {b:c}\n{x:y}")]
    [InlineData("a = abc [1]")]
    [InlineData("x = [1], a = abc ${x}")]
    [InlineData("x = {y:z}, a = abc ${x}")]
    [InlineData("x = {y:z}, a = [1] ${x}")]
    [InlineData("{ {a:1} : v }")]
    [InlineData("{ [\"a\"] : v }")]
    [InlineData("a = ${x}\n foo, x = 1")]
    [InlineData("a : y b : z")]
    [InlineData("a = [1], b = ${a[0]}")]
    [InlineData("a = ${b c:d}")]
    [InlineData("a = ${b[]x}")]
    [InlineData("a = ${b[}")]
    [InlineData("a = ${b[1]}")]
    public void What_cannot_be_joined_or_read_is_refused(string text) => HoconAssert.Refuses(text);

    [Theory]
    [InlineData("foo10.0 = 1", """{"foo10":{"0":1}}""")]
    [InlineData("10.0foo = 1", """{"10":{"0foo":1}}""")]
    [InlineData("1.2.3 = 1", """{"1":{"2":{"3":1}}}""")]
    [InlineData("1e3 = 1, 01 = 2, -1 = 3", """{"1e3":1,"01":2,"-1":3}""")]
    [InlineData("123-456.foo = 1", """{"123-456":{"foo":1}}""")]
    [InlineData("a.\"b.c\".d = 1", """{"a":{"b.c":{"d":1}}}""")]
    [InlineData("a\"b\"c = 1", """{"abc":1}""")]
    [InlineData("\"a\" \"b\" = 1", """{"a b":1}""")]
    [InlineData("a.\"\" = 1, \"\".b = 2", """{"a":{"":1},"":{"b":2}}""")]
    [InlineData("\"\"\"a.b\"\"\" = 1", """{"a.b":1}""")]
    [InlineData("true.false.null = 1", """{"true":{"false":{"null":1}}}""")]
    [InlineData("/a/b/c = 42, x/y : 32", """{"/a/b/c":42,"x/y":32}""")]
    [InlineData("a.b.c {d=1}, a { b.c.e = 2 }", """{"a":{"b":{"c":{"d":1,"e":2}}}}""")]
    [InlineData("a b.c d = 1", """{"a b":{"c d":1}}""")]
    [InlineData("includes = 1, include.x = 2", """{"includes":1,"include":{"x":2}}""")]
    public void Keys_are_paths(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=1,b=${a},a=2", """{"a":2,"b":2}""")]
    [InlineData("foo=${a.b.c},a={b:{c:42,d:${foo}},e:${foo}}",
        """{"foo":42,"a":{"b":{"c":42,"d":42},"e":42}}""")]
    [InlineData("d={a:1,b:2}\ni=${d}\ni.b=3\nj.b=${i.b}",
        """{"d":{"a":1,"b":2},"i":{"a":1,"b":3},"j":{"b":3}}""")]
    [InlineData("d={a:1,b:2}\ni=${d}\ni.b={c:43}\nj.b=${i.b}",
        """{"d":{"a":1,"b":2},"i":{"a":1,"b":{"c":43}},"j":{"b":{"c":43}}}""")]
    [InlineData("d={a:1,b:2}\ni.b=7\ni=${d}\nj.b=${i.b}",
        """{"d":{"a":1,"b":2},"i":{"b":2,"a":1},"j":{"b":2}}""")]
    [InlineData("d={a:${i.b},b:2}\ni.b=7\ni=${d}\nj.b=${i.b}",
        """{"d":{"a":2,"b":2},"i":{"b":2,"a":2},"j":{"b":2}}""")]
    [InlineData("i=345\ni=${?no}\ni={}\ni=${d}\ni.b={c:43}\nd={a:1,b:2}",
        """{"i":{"a":1,"b":{"c":43}},"d":{"a":1,"b":2}}""")]
    [InlineData("d={a:1}\ni=${d}\ni.c=${j.d}\nj=${d}\nj.d=${i.a}",
        """{"d":{"a":1},"i":{"a":1,"c":1},"j":{"a":1,"d":1}}""")]
    [InlineData("i.a=10\ni.b=${j.d}\nj.d=14\nj.f=${i.b}\nj.g=${j.f}",
        """{"i":{"a":10,"b":14},"j":{"d":14,"f":14,"g":14}}""")]
    [InlineData("a={b:${x}}\na={c:${a.b}}\nx=1", """{"a":{"b":1,"c":1},"x":1}""")]
    [InlineData("a=${b}\na={q:${a.p}}\nb={p:1}", """{"a":{"p":1,"q":1},"b":{"p":1}}""")]
    public void Substitutions_see_the_merged_tree(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=1,a=${a},a=2", """{"a":2}""")]
    [InlineData("a={b:5},a=${a},a={c:6}", """{"a":{"b":5,"c":6}}""")]
    [InlineData("a=${a},a=1,a=2", """{"a":2}""")]
    [InlineData("a=${?a},a=1,a=2", """{"a":2}""")]
    [InlineData("a=1,a=2,a=${?a}", """{"a":2}""")]
    [InlineData("a={b:{c:5}},a=${a.b},a={b:2}", """{"a":{"c":5,"b":2}}""")]
    [InlineData("a=1,b=${c},c=${a},a=${b}", """{"a":1,"b":1,"c":1}""")]
    [InlineData("a=1,a=${a}x,a=${a}y,a=${a}z", """{"a":"1xyz"}""")]
    [InlineData("a=[x],a=${a}[y],a=[w]${a}", """{"a":["w","x","y"]}""")]
    [InlineData("p=\"/bin\",p=${p}\":/usr\",q=${p}", """{"p":"/bin:/usr","q":"/bin:/usr"}""")]
    [InlineData("o.l=[1],o{l=${o.l}[2]},o.l+=3", """{"o":{"l":[1,2,3]}}""")]
    [InlineData("a += ${x}, a += ${?no}, x = 1", """{"a":[1],"x":1}""")]
    [InlineData("x += { a += 1, a += 2 }", """{"x":[{"a":[1,2]}]}""")]
    [InlineData("a={b:[1]},a{b+=2},a.b+={c:3}", """{"a":{"b":[1,2,{"c":3}]}}""")]
    public void Self_references_look_back(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("HERE=43,a=42,a=${?HERE}", """{"HERE":43,"a":43}""")]
    [InlineData("a={b:42},a=${?NO}", """{"a":{"b":42}}""")]
    [InlineData("HERE=43,a={b:42},a=${?HERE}", """{"HERE":43,"a":43}""")]
    [InlineData("HERE=null,a=1,a=${?HERE}", """{"HERE":null,"a":null}""")]
    [InlineData("a=${?no}x${?no}", """{"a":"x"}""")]
    [InlineData("a=\"\"${?no}${?no}", """{"a":""}""")]
    [InlineData("a=[1]${?no},b={x:1}${?no}", """{"a":[1],"b":{"x":1}}""")]
    [InlineData("a=${?b.c},b=5", """{"b":5}""")]
    [InlineData("a=${?ENV},b=[${?ENV}],c=${ENV}", """{"a":"e","b":["e"],"c":"e"}""")]
    [InlineData("l=[a],l=${?l}${?LIST[]}", """{"l":["a","0","1"]}""")]
    [InlineData("l=${LIST []}", """{"l":["0","1"]}""")]
    [InlineData("LIST=[z],l=${LIST[]}", """{"LIST":["z"],"l":["z"]}""")]
    public void Undefined_ones_leave_what_was_and_the_environment_comes_last(string text, string json) =>
        HoconAssert.Gives(json, text, ("ENV", "e"), ("LIST_0", "0"), ("LIST_1", "1"), ("LIST_3", "3"));

    [Theory]
    [InlineData("a = \"\"\"\"\"\"", "")]
    [InlineData("a = \"\"\"x\"\"\"\"", "x\"")]
    [InlineData("a = \"\"\"\"\"\"\"\"", "\"\"")]
    [InlineData("a = \"\"\"\n x\\u0041\r\n\"\"\"", "\n x\\u0041\r\n")]
    [InlineData("a = \"\\ud83d\\uDE00\"", "\ud83d\ude00")]
    [InlineData("\ufeffa = \"\ufeff\"", "\ufeff")]
    [InlineData("a = \u0001x", "\u0001x")]
    public void Quotes_and_escapes(string text, string expected) =>
        Assert.Equal(expected, HoconAssert.Parse(text).GetString("a"));

    [Fact]
    public void A_lone_surrogate_prints_as_the_escape_it_was() =>
        Assert.Equal("""{"a":"\ud800"}""", HoconAssert.Parse("a = \"\\ud800\"").Root.ToString());

    [Theory]
    [InlineData("1.0", "1.0")]
    [InlineData("1e3", "1e3")]
    [InlineData("1E+3", "1E+3")]
    [InlineData("-0", "-0")]
    [InlineData("9223372036854775808", "9223372036854775808")]
    [InlineData("0.1e-7", "0.1e-7")]
    public void Numbers_stay_as_written(string value, string printed) =>
        Assert.Equal($"{{\"a\":{printed}}}", HoconAssert.Parse($"a = {value}").Root.ToString());
}

using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class MergeAndSubstitutionTests
{
    [Theory]
    [InlineData("a={x:1}\na={y:2}", """{"a":{"x":1,"y":2}}""")]
    [InlineData("a={x:1}\na=null\na={y:2}", """{"a":{"y":2}}""")]
    [InlineData("a={x:1}\na=5\na={y:2}", """{"a":{"y":2}}""")]
    [InlineData("a=5\na={y:2}", """{"a":{"y":2}}""")]
    [InlineData("a.x=1, a.y=2, a.x=3", """{"a":{"x":3,"y":2}}""")]
    [InlineData("n=null\na={x:1}\na=${n}\na={y:2}", """{"n":null,"a":{"y":2}}""")]
    [InlineData("o={x:1}\na=${o}\na={y:2}", """{"o":{"x":1},"a":{"x":1,"y":2}}""")]
    public void Rule_13_later_wins_and_objects_merge_unless_something_lies_between(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Fact]
    public void Rule_13_fallbacks_follow_the_same_rule_in_any_grouping()
    {
        var (a, b, c) = (HoconAssert.Parse("a{x=1}"), HoconAssert.Parse("a=42"), HoconAssert.Parse("a{y=2}"));
        HoconAssert.SameJson("""{"a":{"x":1}}""", a.WithFallback(b).WithFallback(c).ToString());
        HoconAssert.SameJson("""{"a":{"x":1}}""", a.WithFallback(b.WithFallback(c)).ToString());
        HoconAssert.SameJson("""{"a":{"x":1,"y":2}}""", a.WithFallback(c).WithFallback(b).ToString());
        HoconAssert.SameJson("""{"a":{"x":1}}""",
            HoconAssert.Parse("a=42, a{x=1}").WithFallback(c).ToString());
    }

    [Fact]
    public void Rule_14_substitutions_look_forward_to_the_final_value() =>
        HoconAssert.Gives("""{"a":"2/3","b":2,"c":{"d":3}}""", "a = ${b}/${c.d}\nb = 1\nc.d = 1\nb = 2\nc = {d = 3}");

    [Theory]
    [InlineData("a=1\na=${a}2\na=${a}3", """{"a":"123"}""")]
    [InlineData("p=[1]\np=${p} [2]\np=${p} [3]", """{"p":[1,2,3]}""")]
    [InlineData("u.p=[1]\nu.p=${u.p} [2]", """{"u":{"p":[1,2]}}""")]
    [InlineData("a={x:1}\na=${a} {y:2}\na=${a} {z:3}", """{"a":{"x":1,"y":2,"z":3}}""")]
    [InlineData("foo:{a:{c:1}}\nfoo:${foo.a}\nfoo:{a:2}", """{"foo":{"a":2,"c":1}}""")]
    [InlineData("a=1\nb=${a}\na=${b}", """{"a":1,"b":1}""")]
    [InlineData("b=${a}\na=1\na=${b}", """{"b":1,"a":1}""")]
    [InlineData("a=${?a}foo", """{"a":"foo"}""")]
    [InlineData("a=[1]\na=${a} [${a}]", """{"a":[1,[1]]}""")]
    [InlineData("x={p:1}\nx={p:${x.p}2}\ny=${x} {z:1}", """{"x":{"p":"12"},"y":{"p":"12","z":1}}""")]
    [InlineData("a={p:1}\na={p:${a.p}2}\na=${a} {q:3}", """{"a":{"p":"12","q":3}}""")]
    [InlineData("a={p:1,q:${a.p}}\na=${a} {p:2}", """{"a":{"p":2,"q":2}}""")]
    public void Rule_15_a_reference_to_itself_looks_back(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=1\nb=2\na=${b}\nb=${a}")]
    [InlineData("b=2\na=1\nb=${a}\na=${b}")]
    public void Rule_15_two_that_look_back_at_each_other_become_equal(string text)
    {
        // The specification leaves open which of the two values it is.
        var config = HoconAssert.Parse(text);
        Assert.Equal(config.GetInt("a"), config.GetInt("b"));
    }

    [Theory]
    [InlineData("a={b:${a}}")]
    [InlineData("a=[${a}]")]
    [InlineData("a=${a}")]
    [InlineData("a=${b}\nb=${a}")]
    [InlineData("a=${b}\nb=${c}\nc=${a}")]
    [InlineData("a={b:${c}}\nc={d:${a}}")]
    [InlineData("a={b:${a} {c:1}}")]
    public void Rule_16_cycles_are_refused(string text)
    {
        var refusal = Assert.Throws<HoconException>(() => HoconAssert.Parse(text));
        Assert.Contains("cycle", refusal.Message);
    }

    [Theory]
    [InlineData("bar:{foo:1, baz:${bar.foo}}", """{"bar":{"foo":1,"baz":1}}""")]
    [InlineData("bar:{foo:1, baz:${bar.foo}}\nbar:{foo:2}", """{"bar":{"foo":2,"baz":2}}""")]
    [InlineData("bar:{a:${foo.d},b:1}\nbar.b=3\nfoo:{c:${bar.b},d:2}\nfoo.d=4",
        """{"bar":{"a":4,"b":3},"foo":{"c":3,"d":4}}""")]
    [InlineData("a={x:${b.y},z:1}\nb={y:${a.z}}", """{"a":{"x":1,"z":1},"b":{"y":1}}""")]
    public void Rule_16_objects_may_refer_to_themselves_field_by_field(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Fact]
    public void Rule_17_what_is_required_must_be_there_unless_it_is_hidden()
    {
        HoconAssert.Refuses("a=${x}\na={b:1}", 1, 3, "${x} is not defined");
        HoconAssert.Gives("""{"a":5}""", "a=${x}\na=5");
        HoconAssert.Gives("""{"a":[]}""", "a=${x}\na=[]");
        HoconAssert.Gives("""{"a":1,"b":1}""", "b=1\na=${x}\na=${b}");
    }

    [Theory]
    [InlineData("a=${?a}", "{}")]
    [InlineData("a=${?b}\nb=${?a}", "{}")]
    [InlineData("a=[${?a}]", """{"a":[]}""")]
    [InlineData("a={b:${?a}, c:1}", """{"a":{"c":1}}""")]
    [InlineData("a={b:7, b:${?a}, c:1}", """{"a":{"b":7,"c":1}}""")]
    [InlineData("a={b:{x:1}, b:${?a}, c:1}", """{"a":{"b":{"x":1},"c":1}}""")]
    public void Rule_17_a_cycle_counts_as_undefined_where_that_is_allowed(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=${?x}", "{}")]
    [InlineData("a=1\na=${?x}", """{"a":1}""")]
    [InlineData("a=[1,${?x},2]", """{"a":[1,2]}""")]
    [InlineData("a=v${?x}w", """{"a":"vw"}""")]
    [InlineData("a=v ${?x}", """{"a":"v "}""")]
    [InlineData("a=${?x} [1]", """{"a":[1]}""")]
    [InlineData("a=${?x} {b:1}", """{"a":{"b":1}}""")]
    [InlineData("a=${?x}${?y}", "{}")]
    [InlineData("a=${?x} ${?y}", """{"a":" "}""")]
    [InlineData("a={b:${?x}}", """{"a":{}}""")]
    [InlineData("a=${?x}\nb=${?a}\nc=1\nc=${?b}", """{"c":1}""")]
    public void Rule_18_an_undefined_optional_one_leaves_no_trace(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=${ ?x}")]
    [InlineData("a=$ {x}")]
    [InlineData("a=${x${y}}")]
    [InlineData("a=${{x}}")]
    public void Rule_19_the_opening_is_exactly_three_characters_and_nothing_nests(string text) =>
        HoconAssert.Refuses(text);

    [Theory]
    [InlineData("a += 1", """{"a":[1]}""")]
    [InlineData("a += 1\na += 2\na += [3]", """{"a":[1,2,[3]]}""")]
    [InlineData("a = [1]\na += {x:2}", """{"a":[1,{"x":2}]}""")]
    [InlineData("o { a += 1, a += 2 }", """{"o":{"a":[1,2]}}""")]
    [InlineData("o.a = [0]\no { p.a += 1, a += 2 }", """{"o":{"a":[0,2],"p":{"a":[1]}}}""")]
    [InlineData("l = [{ a += 1, a += 2 }]", """{"l":[{"a":[1,2]}]}""")]
    [InlineData("a += x y", """{"a":["x y"]}""")]
    [InlineData("b=[1]\na=${b}\na += 2", """{"b":[1],"a":[1,2]}""")]
    [InlineData("1+=2", """{"1":[2]}""")]
    [InlineData("a = {\"0\":x}\na += y", """{"a":["x","y"]}""")]
    public void Rule_20_appending_adds_one_element(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a=1\na += 2")]
    [InlineData("a=x\na += 2")]
    [InlineData("a={x:1}\na += 2")]
    [InlineData("a=null\na += 2")]
    public void Rule_20_only_arrays_are_appended_to(string text) => HoconAssert.Refuses(text);

    [Fact]
    public void Rule_26_the_environment_is_asked_only_for_what_the_tree_has_not()
    {
        HoconAssert.Gives("""{"a":"env"}""", "a=${X}", ("X", "env"));
        HoconAssert.Gives("""{"X":1,"a":1}""", "X=1\na=${X}", ("X", "env"));
        HoconAssert.Gives("""{"X":null,"a":null}""", "X=null\na=${X}", ("X", "env"));
        HoconAssert.Gives("""{"a":""}""", "a=${X}", ("X", ""));
        HoconAssert.Gives("""{"a":"5"}""", "a=${X}", ("X", "5"));
        HoconAssert.Gives("""{"a":"${Y} \"[\n"}""", "a=${X}", ("X", "${Y} \"[\n"));
        HoconAssert.Gives("{}", "a=${?x}", ("X", "env"));
        HoconAssert.Gives("{}", "a=${?X.Y}", ("X.Y", "env"));
        HoconAssert.Gives("""{"a":"env"}""", "a=${\"X.Y\"}", ("X.Y", "env"));
    }

    [Fact]
    public void Rule_26_brackets_after_a_name_read_a_list_from_the_environment()
    {
        HoconAssert.Gives("""{"a":["x","y","z"]}""", "a=[x] ${L[]}", ("L_0", "y"), ("L_1", "z"), ("L_3", "w"));
        HoconAssert.Gives("{}", "a=${?L[]}");
        HoconAssert.Refuses("a=${L[]}", 1, 3, "not defined");
    }

    [Theory]
    [InlineData("a={\"10\":c,\"2\":b,x:no,\"0\":a} [d]", """{"a":["a","b","c","d"]}""")]
    [InlineData("a=[d] {\"0\":a}", """{"a":["d","a"]}""")]
    public void Rule_27_numbered_objects_join_lists(string text, string json) => HoconAssert.Gives(json, text);

    [Fact]
    public void Rule_27_an_object_without_numbers_joins_no_list()
    {
        HoconAssert.Refuses("a=[1] {}");
        HoconAssert.Refuses("a=[1] {x:1}");
    }
}

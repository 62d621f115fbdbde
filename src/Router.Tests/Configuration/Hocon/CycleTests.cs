namespace Router.Tests.Configuration.Hocon;

/// <summary>
/// Values that contain themselves: an optional substitution in the ring is undefined wherever it is read.
/// </summary>
public sealed class CycleTests
{
    [Theory]
    [InlineData("a={x:${?b}}\nb=${a} {y:1}", """{"a":{},"b":{"y":1}}""")]
    [InlineData("b=${a} {y:1}\na={x:${?b}}", """{"a":{},"b":{"y":1}}""")]
    [InlineData("b={y:1}\na={x:${?b}}\nb=${a}", """{"a":{},"b":{"y":1}}""")]
    [InlineData("a={x:[${?b}]}\nb=${a} {y:1}", """{"a":{"x":[]},"b":{"x":[],"y":1}}""")]
    [InlineData("a={x:${?b}}\nb=${a} {y:1}\nc=${b} {z:1}", """{"a":{},"b":{"y":1},"c":{"y":1,"z":1}}""")]
    public void An_optional_one_in_a_ring_of_merged_objects_is_dropped_everywhere(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a={x:${?b} {z:2}}\nb=${a} {y:1}", """{"a":{"x":{"z":2}},"b":{"x":{"z":2},"y":1}}""")]
    [InlineData("a={x:1,x:${?a} {z:2}}", """{"a":{"x":{"z":2}}}""")]
    [InlineData("a={x:[1] ${?b.x}}\nb=${a}", """{"a":{"x":[1]},"b":{"x":[1]}}""")]
    [InlineData("a={l:[${?a} {z:1}]}", """{"a":{"l":[{"z":1}]}}""")]
    public void In_a_join_the_other_pieces_stay(string text, string json) => HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a={x:{q:1},x:${?b}}\nb=${a} {y:1}", """{"a":{"x":{"q":1}},"b":{"x":{"q":1},"y":1}}""")]
    [InlineData("a={x:${?b},x:${?c}}\nb=${a} {y:1}\nc={q:1}",
        """{"a":{"x":{"q":1}},"b":{"x":{"q":1},"y":1},"c":{"q":1}}""")]
    [InlineData("a={x:${?c},x:${?b}}\nb=${a} {y:1}\nc={q:1}",
        """{"a":{"x":{"q":1}},"b":{"x":{"q":1},"y":1},"c":{"q":1}}""")]
    public void Only_the_one_that_closes_the_ring_is_dropped(string text, string json) =>
        HoconAssert.Gives(json, text);

    [Theory]
    [InlineData("a={x:${b}}\nb=${a} {y:1}")]
    [InlineData("a={x:${b}}\nb={y:${c}}\nc=[${a}]")]
    public void A_ring_of_required_ones_is_refused(string text) => HoconAssert.Refuses(text);

    [Fact]
    public void A_ring_met_at_thousands_of_places_costs_little() =>
        HoconAssert.Parse(string.Join('\n', Enumerable.Range(0, 5_000).Select(i => $"a{i} = {{x = ${{?a{i}}}}}")));
}

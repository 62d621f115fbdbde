using System.Text.Json.Nodes;
using Router.CommandLine.Client;

namespace Router.Tests.CommandLine.Client;

public sealed class TextTableTests : IDisposable
{
    private readonly StringWriter _output = new() { NewLine = "\n" };

    public void Dispose() => _output.Dispose();

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(150 * 1024, "150 KiB")]
    [InlineData(5.5 * 1024 * 1024 * 1024, "5.5 GiB")]
    public void Bytes_have_the_largest_unit(double bytes, string expected) =>
        Assert.Equal(expected, TextTable.Bytes(bytes));

    [Theory]
    [InlineData(7, "7ms")]
    [InlineData(1500, "1.5s")]
    [InlineData(62_000, "1m02s")]
    [InlineData(3_600_000 + 120_000, "1h02m")]
    [InlineData(90_000_000, "1d01h")]
    [InlineData(-1, "0ms")]
    [InlineData(1e300, "1000000d00h")]
    public void Times_have_their_two_largest_units(double milliseconds, string expected) =>
        Assert.Equal(expected, TextTable.Time(milliseconds));

    [Fact]
    public void Columns_are_as_wide_as_they_need_and_nothing_moves_the_cursor()
    {
        var rows = JsonNode.Parse("""
            [{ "name": "a", "in": 5, "why": { "full": 2, "late": 1 } },
             { "name": "long\u001b[2J", "in": 12345, "why": {} },
             { "name": null, "in": null, "why": ["x", "y"] }]
            """);

        TextTable.Write(_output, rows, new("name", "name"), new("in", "in", Unit.Number), new("why", "why"));

        Assert.Equal(
            """
            name              in  why
            a                  5  full=2 late=1
            long\u001B[2J  12345
            -                  -  x y

            """,
            _output.ToString());
    }

    [Fact]
    public void Pairs_reach_into_objects()
    {
        var of = JsonNode.Parse("""{ "a": { "b": 2048 } }""");

        TextTable.WritePairs(_output, of, new("some", "a.b", Unit.Bytes), new("none", "a.c.d"));

        Assert.Equal("some  2.0 KiB\nnone  -\n", _output.ToString());
    }
}

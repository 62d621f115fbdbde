namespace Router.Tests.Tidy;

public sealed class SourceFileTests
{
    [Theory]
    [InlineData("a(); // b", "a();     ")]
    [InlineData("a /* b\n c */ d", "a     \n      d")]
    [InlineData("a(\"b \\\" c\", d)", "a(        , d)")]
    [InlineData("a('\"', b)", "a(   , b)")]
    [InlineData("a('\\'', b)", "a(    , b)")]
    [InlineData("a(@\"b\\\", c)", "a(@    , c)")]
    [InlineData("a(@\"b\"\"c\", d)", "a(@      , d)")]
    [InlineData("a(\"\", b)", "a(  , b)")]
    [InlineData("a(\"\"\"b \" c\"\"\", d)", "a(           , d)")]
    [InlineData("a(\"//\") + b", "a(    ) + b")]
    public void Comments_texts_and_characters_are_blanked_in_place(string source, string code) =>
        Assert.Equal(code, SourceFile.CodeOf(source));
}

using System.IO.Pipes;
using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

public sealed class IncludeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("include \"b.conf\"")]
    [InlineData("include\n\n  \"b.conf\"")]
    [InlineData("include\"b.conf\"")]
    [InlineData("include file(\"b.conf\")")]
    [InlineData("include required(\"b.conf\")")]
    [InlineData("include required( file(\n \"b.conf\" ) )")]
    [InlineData("include \"b\"")]
    public void Rule_21_blanks_and_lines_may_stand_around_the_argument(string text)
    {
        _folder.Write("b.conf", "x = 1");
        Gives("""{"x":1}""", text);
    }

    [Fact]
    public void Rule_22_an_include_is_relative_to_the_including_file()
    {
        _folder.Write("sub/b.conf", "include \"c.conf\", include \"../d.conf\"");
        _folder.Write("sub/c.conf", "c = 1");
        _folder.Write("d.conf", "d = 2");
        Gives("""{"c":1,"d":2}""", "include \"sub/b.conf\"");
    }

    [Fact]
    public void Rule_22_an_absolute_include_is_taken_as_it_is()
    {
        var file = _folder.Write("elsewhere/b.conf", "x = 1");
        Gives("""{"x":1}""", $"include \"{file}\"");
    }

    [Fact]
    public void Rule_22_text_that_is_no_file_has_no_relative_includes() =>
        HoconAssert.Refuses("include \"b.conf\"", 1, 9, "relative to a file");

    [Fact]
    public void Rule_22_without_extension_all_that_exist_are_merged_and_HOCON_wins()
    {
        _folder.Write("b.properties", "x=1\ny=1\nz=1");
        _folder.Write("b.json", """{"y":2,"z":2}""");
        _folder.Write("b.conf", "z = 3");
        Gives("""{"x":"1","y":2,"z":3}""", "include \"b\"");
    }

    [Fact]
    public void Rule_22_properties_are_flat_texts_where_parents_win()
    {
        _folder.Write("b.properties", "# c\n! c\na.b : 1\\\n   2\na=lost\n\nc\\ d  e f\nu=\\u0041\\t\\\\\nempty\n");
        Gives("""{"a":{"b":"12"},"c d":"e f","u":"A\t\\","empty":""}""", "include \"b.properties\"");
    }

    [Theory]
    [InlineData("{\"a\" = 1}", 1)]
    [InlineData("{\"a\" : 1,}", 1)]
    [InlineData("{\n# no\n}", 2)]
    public void Rule_22_a_json_file_is_held_to_JSON(string json, int line)
    {
        var file = _folder.Write("b.json", json);
        var refusal = Assert.Throws<HoconException>(() => Load("include \"b.json\""));
        Assert.Equal((file, line), (refusal.Origin.File, refusal.Origin.Line));
    }

    [Theory]
    [InlineData("{\n \"é\": x}", 2, 7)]
    [InlineData("\ufeff{\"é\":\"é\" x}", 1, 10)]
    public void Rule_22_a_fault_in_json_is_placed_by_characters_not_bytes(string json, int line, int column)
    {
        var file = _folder.Write("b.json", json);
        var refusal = Assert.Throws<HoconException>(() => Load("include \"b.json\""));
        Assert.Equal(new HoconOrigin(file, line, column), refusal.Origin);
    }

    [Theory]
    [InlineData("a = 1\na.b = 2")]
    [InlineData("a.b = 2\na = 1")]
    public void Rule_22_a_text_that_is_a_parent_too_hides_nothing_of_the_including_file(string properties)
    {
        _folder.Write("b.properties", properties);
        Gives("""{"a":{"c":3,"b":"2"}}""", "a.c = 3, include \"b\"");
    }

    [Fact]
    public void Rule_22_properties_may_begin_with_a_byte_order_mark()
    {
        _folder.Write("b.properties", "\ufeffa = 1");
        Gives("""{"a":"1"}""", "include \"b\"");
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("sub/")]
    [InlineData("sub/..")]
    public void Rule_22_a_folders_name_is_no_files_name(string name)
    {
        // Neither the file beside the folder that only shares its name, nor one that is all extension.
        _folder.Write("sub/a.conf", $"include \"{name}\", x = 1");
        _folder.Write("sub.conf", "y = 1");
        _folder.Write("sub/sub/.conf", "z = 1");
        Gives("""{"x":1}""", "include \"sub/a.conf\"");
        Refuses($"include required(\"{name}\")", "a.conf", 1, "is no file");
    }

    [Theory]
    [InlineData("include \"b\\u0000.conf\"")]
    [InlineData("include required(file(\"b\\u0000\"))")]
    public void Rule_31_a_name_no_file_can_have_is_refused(string text) => Refuses(text, "a.conf", 1, "U+0000");

    [Fact]
    public void Rule_31_a_file_without_a_name_is_refused() =>
        Assert.StartsWith("(no name):1:1: ",
            Assert.Throws<HoconException>(() => Config.ParseFile("", _ => null)).Message);

    [Fact]
    public void Rule_23_missing_is_empty_unless_required_and_required_does_not_extend()
    {
        _folder.Write("b.conf", "include \"nowhere.conf\", b = 1");
        Gives("{}", "include \"nowhere.conf\"");
        Gives("""{"b":1}""", "include required(\"b.conf\")");
        Refuses("a = 1\ninclude required(\"nowhere.conf\")", "a.conf", 2, "no such file");
    }

    [Theory]
    [InlineData("nowhere.conf", "no such file")]
    [InlineData("nowhere", "no such file")]
    [InlineData("conf.d/*.conf", "takes no patterns")]
    [InlineData("sub", "is a directory")]
    [InlineData("sub/", "is no file")]
    [InlineData("", "is no file")]
    public void An_include_that_adds_nothing_is_a_warning_with_the_path(string name, string words)
    {
        _folder.Write("sub/x", "");
        var file = _folder.Write("a.conf", $"a = 1\ninclude \"{name}\"");
        var loader = new HoconLoader();
        loader.LoadFileObject(file);

        var warning = Assert.Single(loader.Warnings);
        Assert.Equal(new HoconOrigin(file, 2, 9), warning.Origin);
        Assert.Contains(words, warning.Message, StringComparison.Ordinal);
        var full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, name));
        Assert.Contains(full, warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rule_23_an_included_array_is_refused_by_its_name()
    {
        _folder.Write("b.conf", "[1]");
        Refuses("include \"b.conf\"", "b.conf", 1, "not an array");
    }

    [Fact]
    public void Rule_23_a_fault_in_an_included_file_names_that_file_and_its_line()
    {
        _folder.Write("b.conf", "x = 1\ny = *");
        Refuses("include \"b.conf\"", "b.conf", 2, "reserved");
    }

    [Fact]
    public void Rule_23_cycles_are_refused()
    {
        _folder.Write("b.conf", "include \"a.conf\"");
        Refuses("include \"b.conf\"", "b.conf", 1, "includes itself");
    }

    [Fact]
    public void Rule_23_fifty_files_deep_is_the_end()
    {
        for (var i = 0; i < 60; i++)
        {
            _folder.Write($"f{i}.conf", $"include \"f{i + 1}.conf\"");
        }

        Refuses("include \"f0.conf\"", "f48.conf", 1, "50 files");
    }

    [Fact]
    public void Rule_24_substitutions_are_tried_below_the_include_point_then_from_the_root_then_outside()
    {
        _folder.Write("b.conf", "x = 10, y = ${x}, z = ${r}, e = ${E}, n { m = ${x} }");
        Gives("""{"r":5,"a":{"x":10,"y":10,"z":5,"e":"env","n":{"m":10}}}""", "r = 5, a { include \"b.conf\" }");
        Gives("""{"r":5,"a":{"x":42,"y":42,"z":5,"e":"env","n":{"m":42}}}""",
            "r = 5, a { include \"b.conf\" }, a.x = 42");
        Gives("""{"r":5,"x":1,"q":{"a":{"x":10,"y":10,"z":5,"e":"env","n":{"m":10}}}}""",
            "r = 5, x = 1, q.a { include \"b.conf\" }");
    }

    [Fact]
    public void Rule_24_an_include_inside_an_array_sees_its_own_element()
    {
        _folder.Write("b.conf", "x = 10, y = ${x}, l += 1, l += 2");
        Gives("""{"x":1,"a":[{"x":10,"y":10,"l":[1,2]},{"n":{"x":10,"y":10,"l":[1,2]}}]}""",
            "x = 1, a = [{ include \"b.conf\" }, { n { include \"b.conf\" } }]");
    }

    [Fact]
    public void Rule_24_includes_in_includes_add_up()
    {
        _folder.Write("b.conf", "n { include \"c.conf\" }, top = ${n.x}");
        _folder.Write("c.conf", "x = 1, y = ${x}, z = ${w}");
        Gives("""{"w":7,"a":{"n":{"x":1,"y":1,"z":7},"top":1}}""", "w = 7, a { include \"b.conf\" }");
    }

    [Fact]
    public void Rule_20_appending_works_across_includes()
    {
        _folder.Write("b.conf", "l += 2");
        Gives("""{"o":{"l":[1,2,3]}}""", "o.l = [1]\no { include \"b.conf\" }\no.l += 3");
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/full")]
    public void Rule_31_devices_are_no_configuration(string device) =>
        Refuses($"include \"{device}\"", "a.conf", 1, "no regular file");

    [Fact]
    public void Rule_31_a_file_that_would_have_to_be_waited_for_is_refused()
    {
        // A file of the kernel's that reads like this is only there for root; a pipe that has a writer does the same.
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var path = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        using var file = RegularFile.Open(path);

        Assert.Equal(
            "it is no regular file", Assert.Throws<IOException>(() => RegularFile.ReadAll(file, 100)).Message);
        Assert.Throws<IOException>(() => RegularFile.Read(path, 100));
    }

    [Fact]
    public void Rule_31_what_is_read_is_bounded_in_bytes_and_files()
    {
        _folder.Write("big.conf", new byte[(16 << 20) + 1]);
        Refuses("include \"big.conf\"", "a.conf", 1, "16 MiB");

        for (var i = 0; i < 12; i++)
        {
            _folder.Write($"f{i}.conf", $"include \"f{i + 1}.conf\"\ninclude \"f{i + 1}.conf\"");
        }

        var refusal = Assert.Throws<HoconException>(() => Load("include \"f0.conf\""));
        Assert.Contains("1000 files", refusal.Message);
    }

    private Config Load(string text)
    {
        var file = _folder.Write("a.conf", text);
        return Config.ParseFile(file, name => name == "E" ? "env" : null);
    }

    private void Gives(string json, string text) => HoconAssert.SameJson(json, Load(text).ToString());

    private void Refuses(string text, string file, int line, string words)
    {
        var refusal = Assert.Throws<HoconException>(() => Load(text));
        Assert.Equal((file, line), (Path.GetFileName(refusal.Origin.File), refusal.Origin.Line));
        Assert.Contains(words, refusal.Message);
    }
}

/// <summary>A folder of its own, gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("router-").FullName;

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var file = Path.Combine(_path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
        return file;
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}

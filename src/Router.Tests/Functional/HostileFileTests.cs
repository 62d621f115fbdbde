using System.Text;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>
/// Files made to hurt end soon, within 400 MiB of heap, in a value or in a refusal with its place; never in a crash.
/// </summary>
[Collection(ProgramTests.Name)]
public sealed class HostileFileTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int ExitOk = 0;
    private const int ExitRefused = 1;

    private static readonly Dictionary<string, Func<string>> Texts = new(StringComparer.Ordinal)
    {
        ["a hundred thousand brackets"] = () => "x=" + Repeat("[", 100_000),
        ["sixty doublings"] = () => "a0={x=1}\n"
            + Join(60, i => $"a{i + 1}={{x=${{a{i}}},y=${{a{i}}}}}"),
        ["five million elements"] = () => "a=[" + Repeat("1,", 5_000_000) + "]",
        ["five million objects"] = () => "a=[" + Repeat("{},", 5_000_000) + "]",
        ["two hundred thousand keys"] = () => Join(200_000, i => $"key{i} = value{i}"),
        ["two thousand merges"] = () => "o={}\n" + Join(2_000, i => $"o = ${{o}} {{ k{i} = {i} }}"),
        ["ten thousand appends"] = () => "a=x\n" + Repeat("a=${a}y\n", 10_000),
        ["a value of ten megabytes"] = () => $"a = \"{new string('x', 10_000_000)}\"",
        ["a value of five million words"] = () => "a = " + Repeat("x ", 5_000_000),
        ["an include of itself"] = () => "include \"hostile.conf\"",
        ["an include of a device"] = () => "include \"/dev/zero\"",
    };

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("a hundred thousand brackets", ExitRefused, ":1:515: ")]
    [InlineData("sixty doublings", ExitRefused, ": substitutions expand to more")]
    [InlineData("five million elements", ExitRefused, " keys and values")]
    [InlineData("five million objects", ExitRefused, " keys and values")]
    [InlineData("two hundred thousand keys", ExitOk, "\"key199999\": \"value199999\"")]
    [InlineData("two thousand merges", ExitOk, "\"k1999\": 1999")]
    [InlineData("ten thousand appends", ExitOk, "\"xyyyyyyyy")]
    [InlineData("a value of ten megabytes", ExitOk, "xxxxxxxxxx")]
    [InlineData("a value of five million words", ExitOk, "x x x x x")]
    [InlineData("an include of itself", ExitRefused, ":1:9: ")]
    [InlineData("an include of a device", ExitRefused, ":1:9: ")]
    public async Task A_hostile_text_ends_soon_and_small(string name, int exitCode, string words)
    {
        var file = Path.Combine(Folder, "hostile.conf");
        await File.WriteAllTextAsync(file, Texts[name]());

        await AssertEndsAsync(file, exitCode, words);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public Task A_device_is_refused() => AssertEndsAsync("/dev/zero", ExitRefused, "/dev/zero:1:1: ");

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_pipe_that_nobody_writes_to_is_refused()
    {
        var pipe = Path.Combine(Folder, "pipe.conf");
        await ToolAsync("mkfifo", [pipe]);

        await AssertEndsAsync(pipe, ExitRefused, pipe + ":1:1: ");
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Bytes_that_are_no_UTF_8_are_refused_at_their_place()
    {
        var file = Path.Combine(Folder, "bytes.conf");
        await File.WriteAllBytesAsync(file, [.. "a = 1\nb = \""u8, 0xFF, 0xFE, .. "\""u8]);

        await AssertEndsAsync(file, ExitRefused, file + ":2:6: ");
    }

    private async Task AssertEndsAsync(string file, int exitCode, string words)
    {
        var show = await ProgramAsync(
            "env", "DOTNET_GCHeapHardLimit=0x19000000", RouterProcess.DotnetPath(), RouterProcess.Program,
            "config", "show", "--json", file);

        Assert.True(exitCode == await show.ExitAsync(), show.Error.ToString());
        Assert.Equal(exitCode == ExitOk ? 0 : 1, show.Error.Lines.Count);
        var answer = exitCode == ExitOk ? show.Output.ToString() : show.Error.ToString();
        Assert.Contains(words, answer, StringComparison.Ordinal);
    }

    private static string Repeat(string text, int count) => new StringBuilder().Insert(0, text, count).ToString();

    private static string Join(int count, Func<int, string> line) =>
        string.Join('\n', Enumerable.Range(0, count).Select(line));
}

using System.Globalization;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>TFTP, whose server answers each request from a port of its own: atftpd and curl.</summary>
[Collection(ProgramTests.Name)]
public sealed class TftpTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const string File = "f.bin";
    private const int Timeout = 28;   // curl's exit code

    [RequiresToolFact(RequiredTools.Namespace, "atftpd", "curl")]
    public async Task Files_pass_whole_where_replies_are_followed()
    {
        var content = await ServeAsync();
        await RouterAsync(Repository.Read("hocon/examples/tftp.conf"));

        await GetAsync("one", content);
        await GetAsync("large", content, "--tftp-blksize", "1428");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i =>
            GetAsync(i.ToString(CultureInfo.InvariantCulture), content)));
    }

    [RequiresToolFact(RequiredTools.Namespace, "atftpd", "curl")]
    public async Task A_reply_from_another_port_is_refused_where_they_are_strict()
    {
        await ServeAsync();
        var config = Repository.Read("hocon/examples/tftp.conf");
        await RouterAsync(config.Replace("follow", "strict", StringComparison.Ordinal));

        var curl = await ProgramAsync("curl", Arguments("none", "-m", "3"));

        Assert.Equal(Timeout, await curl.ExitAsync());
    }

    private static string[] Arguments(string name, params string[] more) =>
        ["-s", "-S", "-o", name, "tftp://127.0.0.1:47069/" + File, .. more];

    private async Task<byte[]> ServeAsync()
    {
        var content = new byte[100_000];
        new Random(1).NextBytes(content);
        await System.IO.File.WriteAllBytesAsync(Path.Combine(Folder, File), content);
        await ServerAsync(
            "udp", 48069, "atftpd", "--daemon", "--no-fork", "--user", "root", "--group", "root",
            "--bind-address", "127.0.0.1", "--port", "48069", Folder);
        return content;
    }

    private async Task GetAsync(string name, byte[] content, params string[] more)
    {
        await ToolAsync("curl", Arguments(name, ["-m", "20", .. more]));
        Assert.Equal(content, await System.IO.File.ReadAllBytesAsync(Path.Combine(Folder, name)));
    }
}

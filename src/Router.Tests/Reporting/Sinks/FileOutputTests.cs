using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting.Sinks;

namespace Router.Tests.Reporting.Sinks;

public sealed class FileOutputTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("router-test-");

    private string Log => Path.Combine(_folder.FullName, "log");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void It_is_added_to_and_made_for_its_owner_and_group()
    {
        File.WriteAllText(Log, "before\n");
        using (var output = Open(0, 0))
        {
            output.Write("after\n"u8);
        }

        Assert.Equal("before\nafter\n", File.ReadAllText(Log));
        File.Delete(Log);
        Open(0, 0).Dispose();
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
        Assert.False(!OperatingSystem.IsWindows() && (File.GetUnixFileMode(Log) & Others) != UnixFileMode.None);
    }

    [Fact]
    public void It_gives_way_when_it_is_full_and_no_line_is_cut()
    {
        using (var output = Open(maxSize: 10, keep: 2))
        {
            WriteAll(output, "1234\n6789\nabcd\n"u8);
            WriteAll(output, "a line that is longer than a file\nx\n"u8);
            WriteAll(output, "y\n"u8);
        }

        Assert.Equal("x\ny\n", File.ReadAllText(Log));
        Assert.Equal("a line that is longer than a file\n", File.ReadAllText(Log + ".1"));
        Assert.Equal("abcd\n", File.ReadAllText(Log + ".2"));
        Assert.Equal(3, _folder.GetFiles().Length);
    }

    /// <summary>Where the older file should be is a directory, which not even root can write over.</summary>
    [Fact]
    public void One_that_cannot_give_way_says_so_once_goes_on_and_tries_again()
    {
        Directory.CreateDirectory(Path.Combine(Log + ".1", "full"));
        using var output = Open(maxSize: 10, keep: 1);
        output.Write("12345678\n"u8);

        var fault = Assert.Throws<NotRotatedException>(() => output.Write("abc\n"u8));
        WriteAll(output, "abc\n"u8);
        WriteAll(output, "de\n"u8);

        Assert.StartsWith($"{Log} has grown to max-size and cannot be renamed to {Log}.1: ", fault.Message);
        Assert.Contains("must be let to rename files in its directory", fault.Message, StringComparison.Ordinal);
        Assert.Equal("12345678\nabc\nde\n", File.ReadAllText(Log));

        Directory.Delete(Log + ".1", recursive: true);
        WriteAll(output, "fghi\n"u8);

        Assert.Equal("12345678\nabc\nde\n", File.ReadAllText(Log + ".1"));
        Assert.Equal("fghi\n", File.ReadAllText(Log));
    }

    [Fact]
    public void A_line_longer_than_a_file_passes_one_that_cannot_give_way()
    {
        Directory.CreateDirectory(Path.Combine(Log + ".1", "full"));
        using var output = Open(maxSize: 10, keep: 1);
        output.Write("12345678\n"u8);

        Assert.Throws<NotRotatedException>(() => output.Write("a line that is longer than a file\n"u8));
        WriteAll(output, "a line that is longer than a file\n"u8);

        Assert.Equal("12345678\na line that is longer than a file\n", File.ReadAllText(Log));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void As_often_as_it_cannot_give_way_the_kept_files_stay(int stuck)
    {
        for (var number = 1; number <= 3; number++)
        {
            File.WriteAllText($"{Log}.{number}", $"{number}");
        }

        File.Delete($"{Log}.{stuck}");
        Directory.CreateDirectory(Path.Combine($"{Log}.{stuck}", "full"));
        using (var output = Open(maxSize: 10, keep: 3))
        {
            output.Write("12345678\n"u8);
            for (var i = 0; i < 4; i++)
            {
                Assert.Throws<NotRotatedException>(() => WriteAll(output, "another-8\nanother-9\n"u8));
                WriteAll(output, "x\n"u8);
            }
        }

        for (var number = 1; number <= 3; number++)
        {
            Assert.True(number == stuck || File.ReadAllText($"{Log}.{number}") == $"{number}");
        }
    }

    [Fact]
    public void One_that_a_process_has_left_on_its_way_is_not_lost()
    {
        File.WriteAllText(Log + ".0", "older");
        File.WriteAllText(Log + ".1", "oldest");
        using (var output = Open(maxSize: 5, keep: 3))
        {
            WriteAll(output, "1234\nabcd\n"u8);
        }

        Assert.Equal(
            ["abcd\n", "1234\n", "older", "oldest"],
            new[] { Log, Log + ".1", Log + ".2", Log + ".3" }.Select(File.ReadAllText));
        Assert.False(File.Exists(Log + ".0"));
    }

    /// <summary>What a descriptor's link names can be written to, and the link cannot be deleted, not even by root.
    /// </summary>
    [Fact]
    public void One_that_cannot_be_deleted_says_so()
    {
        using var file = new FileStream(Log, FileMode.Create);
        var link = $"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}";
        using var output = new FileOutput(new FileSinkOptions(link, LogFormat.Auto, LogLines.All, 10, 0));

        var fault = Assert.Throws<NotRotatedException>(() => WriteAll(output, "12345678\nabcdefgh\n"u8));

        Assert.StartsWith($"{link} has grown to max-size and cannot be deleted: ", fault.Message);
        Assert.Contains("must be let to delete files in its directory", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_file_to_keep_it_begins_anew()
    {
        using (var output = Open(maxSize: 5, keep: 0))
        {
            WriteAll(output, "1234\nabcd\n"u8);
        }

        Assert.Equal("abcd\n", File.ReadAllText(Log));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public void Reopened_it_goes_on_by_its_name()
    {
        using var output = Open(0, 0);
        output.Write("one\n"u8);
        File.Move(Log, Log + ".old");
        output.Write("two\n"u8);

        output.Reopen();
        output.Write("three\n"u8);

        Assert.Equal("one\ntwo\n", File.ReadAllText(Log + ".old"));
        Assert.Equal("three\n", File.ReadAllText(Log));
    }

    /// <summary>As logrotate's copytruncate does it.</summary>
    [Fact]
    public void A_file_that_was_cut_is_added_to_at_its_new_end()
    {
        using var output = Open(0, 0);
        output.Write("one\n"u8);
        using (var cut = new FileStream(Log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(0);
        }

        output.Write("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(Log));
    }

    [Fact]
    public void A_disk_without_room_is_told_by_its_errno()
    {
        using var output = new FileOutput(new FileSinkOptions("/dev/full", LogFormat.Auto, LogLines.All, 0, 0));

        var fault = Assert.Throws<IOException>(() => output.Write("x\n"u8));

        Assert.Equal("/dev/full cannot be written to: ENOSPC: No space left on device", fault.Message);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_names_itself_and_what_to_do()
    {
        var fault = Assert.Throws<IOException>(() => new FileOutput(new FileSinkOptions(
            Path.Combine(Log, "none"), LogFormat.Auto, LogLines.All, 0, 0)));

        Assert.Contains($"{Log}/none cannot be opened: ENOENT", fault.Message, StringComparison.Ordinal);
        Assert.Contains("its directory must be there", fault.Message, StringComparison.Ordinal);
    }

    private static void WriteAll(FileOutput output, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[output.Write(bytes)..];
        }
    }

    private FileOutput Open(long maxSize, int keep) =>
        new(new FileSinkOptions(Log, LogFormat.Auto, LogLines.All, maxSize, keep));
}

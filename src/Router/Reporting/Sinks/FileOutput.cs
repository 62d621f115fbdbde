using System.Runtime.InteropServices;
using Router.Configuration;
using Router.Net;

namespace Router.Reporting.Sinks;

/// <summary>A descriptor that bytes are written to as they are, the process's standard output for example.</summary>
/// <remarks>Linux. A stream of .NET would not say how much of a write was taken before it failed.</remarks>
internal sealed unsafe class DescriptorOutput(int fd) : ISinkOutput
{
    public const int StandardOutput = 1;

    public bool KeepsMessages => false;

    public int Write(ReadOnlySpan<byte> bytes) => Write(fd, bytes, "it");

    public bool Recover() => false;

    public void Reopen()
    {
        // It has no name.
    }

    public void Dispose()
    {
        // Not ours.
    }

    /// <exception cref="IOException">It names the errno, and <paramref name="what"/> was written to.</exception>
    internal static int Write(int fd, ReadOnlySpan<byte> bytes, string what)
    {
        fixed (byte* first = bytes)
        {
            while (true)
            {
                var taken = Libc.Write(fd, first, (nuint)bytes.Length);
                if (taken >= 0)
                {
                    return (int)taken;
                }

                switch ((Errno)Marshal.GetLastSystemError())
                {
                    case Errno.EINTR:
                        break;
                    case Errno.EAGAIN:
                        return 0;
                    case var errno:
                        throw new IOException($"{what} cannot be written to: {ErrnoText.Name(errno)}: "
                            + $"{ErrnoText.Text(errno)}");
                }
            }
        }
    }
}

/// <summary>A stream, where there are no descriptors to write to.</summary>
internal sealed class StreamOutput(Stream stream) : ISinkOutput
{
    public bool KeepsMessages => false;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        return bytes.Length;
    }

    public bool Recover() => true;

    public void Reopen()
    {
        // It has no name.
    }

    public void Dispose() => stream.Dispose();
}

/// <summary>A file that lines are added to, and that gives way to a new one when it has grown.</summary>
/// <remarks>It is open for appending, so it may also be cut, or written to by others.</remarks>
internal sealed class FileOutput : ISinkOutput
{
    /// <summary>O_WRONLY and O_APPEND.</summary>
    private const int OpenAppend = 1 | 0x400;

    /// <summary>Read and written by its owner, read by its group.</summary>
    private const int Mode = 0x1A0;

    private const byte LineFeed = (byte)'\n';

    private readonly FileSinkOptions _options;
    private int _fd = -1;
    private FileStream? _stream;
    private long _length;
    private long _limit;           // that the file gives way at: more than it may have, after it could not
    private bool _isWithinLine;
    private bool _takesALine;      // whatever its length: the file has just failed to give way

    /// <exception cref="IOException">It cannot be opened.</exception>
    public FileOutput(FileSinkOptions options)
    {
        _options = options;
        Open();
    }

    public bool KeepsMessages => false;

    private string Path => _options.Path!;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        if (_fd < 0 && _stream is null)
        {
            Open();
        }

        if (_options.MaxSize > 0 && _length + bytes.Length > _limit)
        {
            bytes = Fitting(bytes);
        }

        var taken = _stream is { } stream ? Write(stream, bytes) : DescriptorOutput.Write(_fd, bytes, Path);
        _length += taken;
        _takesALine &= taken == 0;
        _isWithinLine = taken > 0 ? bytes[taken - 1] != LineFeed : _isWithinLine;
        return taken;
    }

    public bool Recover() => false;

    public void Reopen()
    {
        Dispose();
        _isWithinLine = false;
        try
        {
            Open();
        }
        catch (IOException)
        {
            // The next write tries again, and tells why not.
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
        }

        (_fd, _stream) = (-1, null);
    }

    private static int Write(FileStream stream, ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        return bytes.Length;
    }

    private void Open()
    {
        _limit = _options.MaxSize;
        if (!OperatingSystem.IsLinux())
        {
            _stream = new FileStream(
                Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            _length = _stream.Length;
            return;
        }

        _fd = LibcUnix.Open(Path, OpenAppend | LibcUnix.OpenCreate | LibcUnix.OpenCloseOnExec, Mode);
        if (_fd < 0)
        {
            var errno = (Errno)Marshal.GetLastPInvokeError();
            throw new IOException($"{Path} cannot be opened: {ErrnoText.Name(errno)}: {ErrnoText.Text(errno)}; its "
                + "directory must be there, and the router's user may write to it");
        }

        var file = new FileInfo(Path);
        _length = file.Exists ? file.Length : 0;
    }

    /// <summary>The lines that the file has room for; where there is none, a new file's. A line that is longer than a
    /// file has one of its own.</summary>
    private ReadOnlySpan<byte> Fitting(ReadOnlySpan<byte> bytes)
    {
        var room = Math.Max(0, _limit - _length);
        var fitting = room < bytes.Length ? bytes[..(int)room].LastIndexOf(LineFeed) + 1 : bytes.Length;
        if (fitting > 0)
        {
            return bytes[..fitting];
        }

        if (_length > 0 && !_isWithinLine && !_takesALine)
        {
            Rotate();
            return Fitting(bytes);
        }

        var end = bytes.IndexOf(LineFeed) + 1;
        return end > 0 ? bytes[..end] : bytes;
    }

    /// <summary>A file that cannot give way goes on, and tries again when it has grown by as much once more.</summary>
    /// <exception cref="NotRotatedException">It could not: said once, and the next write goes on.</exception>
    private void Rotate()
    {
        Dispose();
        try
        {
            Rename();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Open();
            (_limit, _takesALine) = (_length + _options.MaxSize, true);
            var (done, act) = _options.Keep == 0 ? ("deleted", "delete") : ($"renamed to {NameOf(1)}", "rename");
            throw new NotRotatedException(
                $"{Path} has grown to max-size and cannot be {done}: {e.Message} It grows on until that can be done: "
                + $"the router's user must be let to {act} files in its directory", e);
        }

        Open();
    }

    /// <summary>PATH becomes PATH.1, PATH.1 becomes PATH.2, and so on. PATH is renamed first, to PATH.0, so that the
    /// older files are as they were where that cannot be done.</summary>
    private void Rename()
    {
        if (_options.Keep == 0)
        {
            File.Delete(Path);
            return;
        }

        if (File.Exists(NameOf(0)))
        {
            Shift();   // of a process that ended within this
        }

        if (!File.Exists(Path))
        {
            return;
        }

        File.Move(Path, NameOf(0), overwrite: true);
        try
        {
            Shift();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Move(NameOf(0), Path);
            throw;
        }
    }

    /// <summary>PATH.0 becomes PATH.1, and those behind it make room up to the first number that is free: what has
    /// failed half-way, and is tried again, pushes out no file that need not go.</summary>
    private void Shift()
    {
        var free = 1;
        while (free < _options.Keep && File.Exists(NameOf(free)))
        {
            free++;
        }

        for (var number = free; number > 0; number--)
        {
            File.Move(NameOf(number - 1), NameOf(number), overwrite: true);
        }
    }

    private string NameOf(int number) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Path}.{number}");
}

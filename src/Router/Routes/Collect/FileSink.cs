using System.Collections.Concurrent;
using System.Globalization;

namespace Router.Routes;

/// <summary>How a file of windows is kept. Immutable.</summary>
/// <param name="Path">The file, absolute; rotated ones are <c>PATH.1</c> (the latest), <c>PATH.2</c>...</param>
/// <param name="RotateBytes">A window that would make it longer begins a new file; 0 for never.</param>
/// <param name="RotateInterval">The first window so long after the file was opened begins a new one; zero
/// or <see cref="Timeout.InfiniteTimeSpan"/> for never.</param>
/// <param name="Keep">Rotated files that are kept.</param>
/// <param name="Sync">Whether fsync(2) follows what is written at once.</param>
internal sealed record FileSinkSettings(
    string Path, long RotateBytes, TimeSpan RotateInterval, int Keep, bool Sync);

/// <summary>The files that sinks write to, so that those of one file take turns. Any thread.</summary>
/// <remarks>A reload leaves a route's live sessions to the sink as it was, while new ones have a sink of the same
/// file: what one wrote, the other must neither overwrite nor rotate over. As many entries as there were paths in the
/// configurations of this process.</remarks>
internal sealed class CollectFiles
{
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Lock> _turns = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<FileSink, Lock> _open = [];

    public Lock TurnAt(string path) => _turns.GetOrAdd(path, static _ => new Lock());

    public void OnOpened(FileSink sink, Lock turn) => _open[sink] = turn;

    public void OnClosed(FileSink sink) => _open.TryRemove(sink, out _);

    /// <summary>Closes every file; the next window opens its file again. Leaves one alone that hangs in a write.
    /// </summary>
    /// <returns>How many were closed.</returns>
    public int CloseAll()
    {
        var closed = 0;
        foreach (var (sink, turn) in _open)
        {
            if (turn.TryEnter(CloseWait))
            {
                closed += sink.Close() ? 1 : 0;
                turn.Exit();
            }
        }

        return closed;
    }
}

/// <summary>Appends windows to a file as JSON lines, and rotates it. A window is never in two files, nor half of it in
/// one.</summary>
internal sealed class FileSink(FileSinkSettings settings, CollectFiles files, TimeProvider time) : IWindowSink
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly WindowJson _json = new();
    private readonly Lock _turn = files.TurnAt(settings.Path);
    private FileStream? _file;
    private string? _place;   // what the system called the file when it was opened; null where it does not tell
    private long _openedAt;

    public string Name => settings.Path;

    public ValueTask OpenAsync(CancellationToken stop)
    {
        lock (_turn)
        {
            Open();
        }

        return default;
    }

    public ValueTask WriteAsync(CollectedWindow window, CancellationToken stop)
    {
        var lines = _json.Render(window).Span;
        lock (_turn)
        {
            Append(lines);
        }

        return default;
    }

    public ValueTask FlushAsync(CancellationToken stop)
    {
        if (settings.Sync)
        {
            lock (_turn)
            {
                _file?.Flush(flushToDisk: true);
            }
        }

        return default;
    }

    public ValueTask DisposeAsync()
    {
        Close();   // without a turn: one that hangs in a write has it
        return default;
    }

    private void Append(ReadOnlySpan<byte> lines)
    {
        var file = Open();
        if (MustRotate(file, lines.Length))
        {
            Close();
            Rotate();
            file = Open();
        }

        var end = file.Length;
        try
        {
            file.Position = end;
            file.Write(lines);
        }
        catch
        {
            TryCut(file, end);   // no half lines: the window comes again as a whole
            Close();
            throw;
        }
    }

    private FileStream Open()
    {
        // Whoever rotates from outside has moved the file away, and may have put another in its place: its name is
        // what counts.
        if (_file is not null && (!File.Exists(settings.Path) || PlaceOf(_file) != _place))
        {
            Close();
        }

        if (_file is null)
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,   // a window is one write
            };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = Mode;
            }

            _file = new FileStream(settings.Path, options);
            _place = PlaceOf(_file);
            _openedAt = time.GetTimestamp();
            files.OnOpened(this, _turn);
        }

        return _file;
    }

    /// <summary>Where an open file is now, by the system's own account: it changes when the file is renamed or
    /// removed.</summary>
    private static string? PlaceOf(FileStream file) =>
        OperatingSystem.IsLinux()
            ? new FileInfo(string.Create(
                CultureInfo.InvariantCulture, $"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}")).LinkTarget
            : null;

    private bool MustRotate(FileStream file, int more) =>
        file.Length > 0
        && ((settings.RotateBytes > 0 && file.Length + more > settings.RotateBytes)
            || (settings.RotateInterval > TimeSpan.Zero
                && time.GetElapsedTime(_openedAt) >= settings.RotateInterval));

    private void Rotate()
    {
        for (var i = settings.Keep; i > 0; i--)
        {
            var from = i == 1 ? settings.Path : Numbered(i - 1);
            if (File.Exists(from))
            {
                File.Move(from, Numbered(i), overwrite: true);
            }
        }

        if (settings.Keep == 0)
        {
            File.Delete(settings.Path);
        }
    }

    private string Numbered(int number) => string.Create(CultureInfo.InvariantCulture, $"{settings.Path}.{number}");

    private static void TryCut(FileStream file, long length)
    {
        try
        {
            file.SetLength(length);
        }
        catch (IOException)
        {
            // what made the writing fail is what is reported
        }
    }

    /// <summary>Within the file's turn.</summary>
    /// <returns>Whether it was open.</returns>
    public bool Close()
    {
        files.OnClosed(this);
        var file = _file;
        _file = null;
        file?.Dispose();
        return file is not null;
    }
}

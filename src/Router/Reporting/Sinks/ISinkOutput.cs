namespace Router.Reporting.Sinks;

/// <summary>Where a sink's lines go. Its thread alone calls it, and may be blocked by it as long as it likes.</summary>
internal interface ISinkOutput : IDisposable
{
    /// <summary>Whether each line goes by itself; else as many as there are go at once.</summary>
    bool KeepsMessages { get; }

    /// <returns>Bytes that were taken; 0 where none are taken just now.</returns>
    /// <exception cref="IOException">Nothing was taken; the message says why and what to do.</exception>
    /// <exception cref="NotRotatedException">Nothing was taken, and the next write will be.</exception>
    int Write(ReadOnlySpan<byte> bytes);

    /// <summary>A write has failed, and is about to be tried again.</summary>
    /// <returns>Whether what was taken of a line is lost, so that the line begins anew.</returns>
    bool Recover();

    /// <summary>Called between two lines. Opens what it writes to again, by its name.</summary>
    void Reopen();
}

/// <summary>One line is refused for what it is, and the next may be taken.</summary>
internal sealed class LineRefusedException(string message) : IOException(message);

/// <summary>A file could not give way to a new one, and takes lines all the same.</summary>
internal sealed class NotRotatedException(string message, Exception cause) : IOException(message, cause);

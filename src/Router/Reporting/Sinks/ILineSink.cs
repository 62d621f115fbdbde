using Router.Diagnostics;

namespace Router.Reporting.Sinks;

/// <summary>A place that lines go to. Any thread; only <see cref="Join"/> waits.</summary>
internal interface ILineSink
{
    string Name { get; }

    SinkFigures Figures { get; }

    /// <summary>Takes the record, if it is one of its lines, or counts it as dropped.</summary>
    void Add(LogRecord record);

    /// <returns>How many lines were dropped since the last call.</returns>
    long TakeDropped();

    /// <summary>Opens its file again, by its name.</summary>
    /// <returns>Whether it has one.</returns>
    bool Reopen();

    /// <summary>Nothing is added any more; what waits is written.</summary>
    void End();

    /// <summary>Waits for what is left, so long.</summary>
    /// <returns>Lines that were not written and that its own lines do not tell of.</returns>
    long Join(TimeSpan time);
}

using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting.Sinks;
using Router.TestKit.Simulation;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Reporting.Sinks;

/// <summary>An output that takes what its test has it take.</summary>
internal sealed class ScriptedOutput : ISinkOutput
{
    private readonly Lock _lock = new();
    private readonly List<byte> _taken = [];
    private readonly ManualResetEventSlim _isOpen = new(initialState: true);

    /// <summary>Asked before each write: bytes to take at most, 0 for not just now; or throws.</summary>
    public Func<int, int> Takes { get; set; } = static length => length;

    public bool KeepsMessages { get; init; }

    public bool LosesLines { get; init; }

    public int Reopened { get; private set; }

    public string Text
    {
        get
        {
            lock (_lock)
            {
                return System.Text.Encoding.UTF8.GetString([.. _taken]);
            }
        }
    }

    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The writer hangs in its next write, as in a pipe that nobody reads.</summary>
    public void Block() => _isOpen.Reset();

    public void Unblock() => _isOpen.Set();

    public int Write(ReadOnlySpan<byte> bytes)
    {
        _isOpen.Wait();
        var length = Takes(bytes.Length);
        lock (_lock)
        {
            _taken.AddRange(bytes[..length]);
        }

        return length;
    }

    public bool Recover() => LosesLines;

    public void Reopen() => Reopened++;

    public void Dispose() => _isOpen.Set();
}

/// <summary>Who asks what is wrong gets no answer.</summary>
internal sealed class UnspeakableException : Exception
{
    public override string Message => throw new InvalidOperationException();
}

/// <summary>Sinks with scripted outputs behind one logger.</summary>
internal sealed class SinkRig : IDisposable
{
    private readonly SinkProvider _provider;
    private readonly StringWriter _errors = new();

    public SinkRig(TimeSpan? flushTimeout = null)
    {
        _provider = new SinkProvider(
            Time, static level => level >= LogLevel.Information, flushTimeout ?? TimeSpan.FromSeconds(20), _errors);
        Log = _provider.CreateLogger("Router");
    }

    public VirtualTimeProvider Time { get; } = new();

    public ILogger Log { get; }

    public string Errors => _errors.ToString();

    public SinkFigures this[string sink] => _provider.Figures.Single(figures => figures.Sink == sink);

    public ScriptedOutput Add(
        string name, ScriptedOutput? output = null, int queue = 100, LogLines lines = LogLines.All,
        SinkFraming framing = SinkFraming.Lines)
    {
        output ??= new ScriptedOutput();
        _provider.Open(new SinkPlan(name, lines, new TextLineFormatter(), framing, () => output), queue);
        return output;
    }

    public void Add(string name, ISinkOutput output, int queue) => _provider.Open(
        new SinkPlan(name, LogLines.All, new TextLineFormatter(), SinkFraming.Lines, () => output), queue);

    public int ReopenFiles() => _provider.ReopenFiles();

    /// <summary>Logs so many events, numbered in their interval-ms.</summary>
    public void Say(int count)
    {
        for (var i = 0; i < count; i++)
        {
            HostLog.Stopped(Log, 0, 0, i);
        }
    }

    public void Dispose() => _provider.Dispose();
}

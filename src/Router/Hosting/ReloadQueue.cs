namespace Router.Hosting;

/// <summary>What became of reading the configuration again.</summary>
/// <param name="Faults">Why it was refused, a line each: then nothing has changed. Empty exactly if it is in
/// force.</param>
/// <param name="ChangedKeys">Keys whose value is another than before, by their whole path.</param>
/// <param name="NeedRestart">Those of them that nothing follows before the next start.</param>
public sealed record ReloadResult(
    IReadOnlyList<string> Faults, IReadOnlyList<string> ChangedKeys, IReadOnlyList<string> NeedRestart)
{
    /// <summary>The configuration that was read is in force; false where there are faults.</summary>
    public bool IsApplied => Faults.Count == 0;

    /// <summary>In one line, for a log or a person.</summary>
    public override string ToString() => IsApplied
        ? $"applied; changed: [{string.Join(' ', ChangedKeys)}]; at the next start: [{string.Join(' ', NeedRestart)}]"
        : $"refused: {string.Join("; ", Faults)}";

    internal static ReloadResult Refused(params IReadOnlyList<string> faults) => new(faults, [], []);
}

/// <summary>Reloads that are wanted: at most one waits while one runs, and whoever asks meanwhile shares it.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class ReloadQueue
{
    private readonly Lock _lock = new();
    private ReloadWish? _waiting;
    private bool _closed;

    /// <summary>Asks for a reload that begins after this call.</summary>
    /// <param name="cause">A word for the log; of those that share a reload the first counts.</param>
    /// <param name="isNew">Whether somebody has to be told that one waits.</param>
    public Task<ReloadResult> Ask(string cause, out bool isNew)
    {
        lock (_lock)
        {
            isNew = _waiting is null && !_closed;
            if (_closed)
            {
                return Task.FromResult(ReloadResult.Refused("the router is not running"));
            }

            _waiting ??= new ReloadWish(cause);
            return _waiting.Result;
        }
    }

    /// <summary>The one that waits; who asks from now on gets another.</summary>
    public ReloadWish? Take()
    {
        lock (_lock)
        {
            var taken = _waiting;
            _waiting = null;
            return taken;
        }
    }

    /// <summary>Nobody will take any more: whoever waits is told so, and whoever asks.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
        }

        Take()?.End(ReloadResult.Refused("the router is not running"));
    }
}

/// <summary>A reload somebody waits for.</summary>
internal sealed class ReloadWish(string cause)
{
    private readonly TaskCompletionSource<ReloadResult> _result = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    public string Cause => cause;

    /// <summary>Times it was put off because an address was being given up.</summary>
    public int PutOff { get; set; }

    public Task<ReloadResult> Result => _result.Task;

    public void End(ReloadResult result) => _result.TrySetResult(result);
}

namespace Router.Running;

/// <summary>Reloads that are wanted: at most one waits while one runs, and whoever asks meanwhile shares it.</summary>
/// <remarks>Any thread.</remarks>
internal sealed class ReloadQueue
{
    private readonly Lock _lock = new();
    private ReloadRequest? _waiting;
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

            _waiting ??= new ReloadRequest(cause);
            return _waiting.Result;
        }
    }

    /// <summary>The one that waits; who asks from now on gets another.</summary>
    public ReloadRequest? Take()
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
internal sealed class ReloadRequest(string cause)
{
    private readonly TaskCompletionSource<ReloadResult> _result = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    public string Cause => cause;

    /// <summary>Times it was tried again because an address was being given up.</summary>
    public int Retries { get; set; }

    public Task<ReloadResult> Result => _result.Task;

    public void End(ReloadResult result) => _result.TrySetResult(result);
}

namespace Router.Running;

/// <summary>Reloads that were asked for. At most one waits while one runs, and all who ask meanwhile share it. Any
/// thread.</summary>
internal sealed class ReloadQueue
{
    private readonly Lock _lock = new();
    private ReloadRequest? _waiting;
    private bool _closed;

    /// <summary>Asks for a reload that begins after this call.</summary>
    /// <param name="cause">A word for the log; of those that share a reload the first counts.</param>
    /// <param name="isNew">Whether the caller has to tell /user/router that one waits.</param>
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

    /// <summary>Takes the one that waits; null if none does.</summary>
    public ReloadRequest? Take()
    {
        lock (_lock)
        {
            var taken = _waiting;
            _waiting = null;
            return taken;
        }
    }

    /// <summary>Refuses the reload that waits, and all that are asked for from now on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
        }

        Take()?.End(ReloadResult.Refused("the router is not running"));
    }
}

/// <summary>A reload that somebody waits for.</summary>
internal sealed class ReloadRequest(string cause)
{
    private readonly TaskCompletionSource<ReloadResult> _result = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    public string Cause => cause;

    /// <summary>How often it was tried again because an address was still being released.</summary>
    public int Retries { get; set; }

    public Task<ReloadResult> Result => _result.Task;

    public void End(ReloadResult result) => _result.TrySetResult(result);
}

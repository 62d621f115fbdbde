using System.Net;
using Router.Net;
using Router.Upstreams;

namespace Router.Tests.Upstreams;

internal static class TestUpstreams
{
    /// <summary>Asked every 30 s, 5 s per round, avoided for 10 s.</summary>
    public static UpstreamGroupSettings Settings(params string[] targets) => new(
        "web",
        [.. targets.Select(Target)],
        TimeSpan.FromSeconds(30),
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(10));

    /// <summary>A group of literal endpoints, published.</summary>
    public static UpstreamGroup Group(TimeProvider time, params string[] targets)
    {
        var group = new UpstreamGroup(Settings(targets), time);
        _ = new UpstreamNames(group, _ => false, new UpstreamRecords());
        return group;
    }

    private static UpstreamTarget Target(string text)
    {
        var colon = text.LastIndexOf(':');
        return new UpstreamTarget(text[..colon].Trim('[', ']'), int.Parse(text[(colon + 1)..]));
    }
}

/// <summary>Keeps what a group's actor says.</summary>
internal sealed class UpstreamRecords : IUpstreamEvents
{
    public List<string> Lines { get; } = [];

    /// <summary>The session's own end of the socket that failed last.</summary>
    public SocketAddr Local { get; private set; }

    public void Resolved(string group, UpstreamTarget target, IReadOnlyList<SocketAddr> addresses) =>
        Lines.Add($"{group}: {target} = {string.Join(' ', addresses)}");

    public void Unresolved(string group, UpstreamTarget target, string error, int kept, TimeSpan retry) =>
        Lines.Add($"{group}: {target} unresolved: {error}; {kept} kept, again in {retry.TotalSeconds} s");

    public void Failed(
        string group, Upstream upstream, in SocketAddr local, Errno errno, SocketOperation operation, int count)
    {
        Lines.Add($"{group}: {upstream.Text} failed {count}: {ErrnoText.Describe(errno, operation)}");
        Local = local;
    }

    public void OwnListener(string group, UpstreamTarget target, SocketAddr address) =>
        Lines.Add($"{group}: {target} is own {address}");

    public void TooMany(string group, UpstreamTarget target, int limit) =>
        Lines.Add($"{group}: {target} beyond {limit}");
}

/// <summary>
/// Names and what they resolve to, as the test sets it; unknown names fail, and those of <see cref="Silent"/> never
/// answer.
/// </summary>
internal sealed class ScriptedResolver : INameResolver
{
    public Dictionary<string, string[]> Names { get; } = [];

    public HashSet<string> Silent { get; } = [];

    public int Asked { get; private set; }

    private readonly Dictionary<string, TaskCompletionSource<IPAddress[]>> _held = [];

    /// <summary>The name is answered when the test says what, by <see cref="Answer"/>.</summary>
    public void Hold(string name) => _held[name] = new TaskCompletionSource<IPAddress[]>();

    /// <summary>Whoever waits goes on at once, on the test's thread: in its context it would later, on another.
    /// </summary>
    public void Answer(string name, string address)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _held[name].SetResult([IPAddress.Parse(address)]);
        SynchronizationContext.SetSynchronizationContext(context);
    }

    public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        Asked++;
        if (_held.TryGetValue(name, out var held))
        {
            return held.Task;
        }

        if (Silent.Contains(name))
        {
            return new TaskCompletionSource<IPAddress[]>().Task;   // deaf to cancellation too
        }

        return Names.TryGetValue(name, out var addresses)
            ? Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse))
            : throw new InvalidOperationException($"{name} is unknown");   // thrown, not returned
    }
}

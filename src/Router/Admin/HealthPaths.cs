using Akka.Cluster;
using Microsoft.AspNetCore.Http;
using Router.Cluster.Relay;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>Whether the router lives, and whether it is to be sent peers: for orchestrators and balancers.</summary>
internal sealed class HealthPaths(AdminHost host)
{
    /// <summary>A loop that has not turned for so long serves nobody.</summary>
    private static readonly TimeSpan LoopLimit = TimeSpan.FromSeconds(1);

    private readonly LoopProbes _probes = new(host.Engine.Loops, host.Time);

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/live", "live", "200 while the loops turn, else 503", LiveAsync)
        {
            Result = typeof(HealthReport),
            OtherStatus = StatusCodes.Status503ServiceUnavailable,
            NeedsToken = false,
        },
        new(HttpMethods.Get, "/ready", "ready", "200 while new peers are welcome, else 503 and why not", ReadyAsync)
        {
            Result = typeof(HealthReport),
            OtherStatus = StatusCodes.Status503ServiceUnavailable,
            NeedsToken = false,
        },
    ];

    /// <summary>Why new peers should be sent elsewhere; none while they are welcome.</summary>
    public static IEnumerable<string> ReasonsOf(Running.RouterEngine engine)
    {
        if (engine.IsStopping)
        {
            yield return "draining";
        }
        else if (!engine.Begun.IsCompleted)
        {
            yield return "starting";
        }

        if (engine.Member is null)
        {
            yield break;
        }

        var status = Akka.Cluster.Cluster.Get(engine.System).SelfMember.Status;
        if (status != MemberStatus.Up)
        {
            yield return $"member-{Kebab.From($"{status}")}";
        }

        if (engine.Fence is { IsOpen: false })
        {
            yield return "fenced";
        }

        if (engine.Relay is { IsFinding: true } && engine.Member.Table.Age < RelaySpan.FindFor)
        {
            yield return "relay-finding";
        }
    }

    private static Task ReplyAsync(AdminRequest request, IReadOnlyList<string> reasons) => request.ReplyAsync(
        new HealthReport(reasons.Count == 0, reasons),
        AdminJson.Default.HealthReport,
        reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    private async Task LiveAsync(AdminRequest request)
    {
        if (host.Engine.Ended.IsCompleted)
        {
            await ReplyAsync(request, ["ended"]).ConfigureAwait(false);
            return;
        }

        var turned = await _probes.AskAsync(LoopLimit, request.End).ConfigureAwait(false);
        var stalled = Enumerable.Range(0, turned.Length).Where(loop => turned[loop] is null);
        await ReplyAsync(request, [.. stalled.Select(static loop => $"loop-{loop}-stalled")]).ConfigureAwait(false);
    }

    private Task ReadyAsync(AdminRequest request) => ReplyAsync(request, [.. ReasonsOf(host.Engine)]);
}

/// <param name="Ok">The same as status 200.</param>
/// <param name="Reasons">Words: <c>loop-0-stalled</c>, <c>starting</c>, <c>draining</c>, <c>member-joining</c>,
/// <c>fenced</c>, <c>relay-finding</c>.</param>
internal sealed record HealthReport(bool Ok, IReadOnlyList<string> Reasons);

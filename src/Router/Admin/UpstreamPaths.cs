using Microsoft.AspNetCore.Http;
using Router.Upstreams;

namespace Router.Admin;

/// <summary>The upstream groups: who is in them, and what each upstream is to get.</summary>
internal sealed class UpstreamPaths(AdminHost host)
{
    private const int WeightMax = 1_000;

    private static readonly IReadOnlyList<AdminParameter> Which =
        [new("upstream", "its endpoint, as /upstreams shows it")];

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/upstreams", "upstreams", "upstream groups, by the route that they serve", ListAsync)
        {
            Result = typeof(UpstreamsReport),
        },
        Set("drain", "it gets no new sessions; those it has finish", UpstreamMode.Draining),
        Set("disable", "it is none of the group's: its sessions do as on-upstream-removed says", UpstreamMode.Disabled),
        Set("enable", "it gets sessions again", UpstreamMode.Enabled),
        new(HttpMethods.Put, "/upstreams/{route}/weight", "upstream-weight",
            "its share of new sessions, 0 to 1000; 100 by default", SetWeightAsync)
        {
            Result = typeof(UpstreamsReport),
            Body = typeof(UpstreamWeightReport),
            Parameters = Which,
        },
    ];

    private AdminPath Set(string word, string summary, UpstreamMode mode) => new(
        HttpMethods.Post, $"/upstreams/{{route}}/{word}", $"upstream-{word}", summary,
        request => SetAsync(request, $"upstream-{word}", null, mode, null))
    {
        Result = typeof(UpstreamsReport),
        Parameters = Which,
    };

    private async Task SetWeightAsync(AdminRequest request)
    {
        var asked = await request.ReadAsync(AdminJson.Default.UpstreamWeightReport).ConfigureAwait(false);
        if (asked.Weight is not (>= 0 and <= WeightMax))
        {
            throw AdminFault.BadRequest(asked.Weight is { } given
                ? $"weight {given} is not within 0 to {WeightMax}"
                : $"weight is missing: a number within 0 to {WeightMax}");
        }

        await SetAsync(request, "upstream-weight", $"{asked.Weight}", null, asked.Weight).ConfigureAwait(false);
    }

    private async Task SetAsync(
        AdminRequest request, string action, string? value, UpstreamMode? mode, int? weight)
    {
        var route = request.Part("route");
        var upstream = request.Query("upstream")
            ?? throw AdminFault.BadRequest("parameter 'upstream' says which: an endpoint as /upstreams shows it");
        var group = host.Engine.Groups.FirstOrDefault(each => each.Route == route)?.Group;
        var isFound = group is not null && await host.Engine
            .SetUpstreamAsync(new SetUpstream(group, upstream, mode, weight), request.End).ConfigureAwait(false);
        request.LogChange(action, $"{route}/{upstream}", value, isFound ? "done" : "not-found");
        if (!isFound)
        {
            throw new AdminFault(
                StatusCodes.Status404NotFound, "There is no such upstream",
                group is null
                    ? $"route '{route}' has no upstreams; /upstreams lists those that have"
                    : $"'{upstream}' is none of route '{route}'; /upstreams lists them, as addresses");
        }

        await ListAsync(request).ConfigureAwait(false);
    }

    private Task ListAsync(AdminRequest request) => request.ReplyAsync(
        new UpstreamsReport(
        [
            .. host.Engine.Groups.Select(group => new UpstreamGroupReport(
                group.Route, [.. group.Group.Known.Select(ReportOf)])),
        ]),
        AdminJson.Default.UpstreamsReport);

    private UpstreamReport ReportOf(Upstream upstream) => new(
        upstream.Text,
        upstream.Mode switch
        {
            UpstreamMode.Draining => "draining",
            UpstreamMode.Disabled => "disabled",
            _ => upstream.HasFailed(host.Time) ? "failed" : "up",
        },
        upstream.Weight,
        upstream.Sessions);
}

internal sealed record UpstreamsReport(IReadOnlyList<UpstreamGroupReport> Groups);

/// <param name="Route">That the group serves.</param>
internal sealed record UpstreamGroupReport(string Route, IReadOnlyList<UpstreamReport> Upstreams);

/// <param name="Upstream">Its endpoint.</param>
/// <param name="State"><c>up</c>; <c>failed</c> lately, so that others are preferred; <c>draining</c> or
/// <c>disabled</c> by an operator.</param>
internal sealed record UpstreamReport(string Upstream, string State, int Weight, int Sessions);

/// <param name="Weight">0 to 1000; must be given, for 0 ends the sessions to come.</param>
internal sealed record UpstreamWeightReport(int? Weight = null);

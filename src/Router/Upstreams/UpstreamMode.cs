namespace Router.Upstreams;

/// <summary>Whether an upstream gets sessions, as an operator has it.</summary>
internal enum UpstreamMode
{
    /// <summary>It does.</summary>
    Enabled,

    /// <summary>It gets no new ones; those it has finish.</summary>
    Draining,

    /// <summary>It is none of the group's: its sessions do what the route says of an upstream that was
    /// removed.</summary>
    Disabled,
}

/// <summary>Told to all groups: an upstream of one of them is to be otherwise from now on, until the router ends or
/// nothing leads to it any more. Answered with <see cref="UpstreamSet"/> by that group.</summary>
/// <param name="Group">Whose.</param>
/// <param name="Upstream">Its endpoint, as <see cref="Upstreams.Upstream.Text"/>.</param>
/// <param name="Mode">Null leaves it.</param>
/// <param name="Weight">Null leaves it.</param>
internal sealed record SetUpstream(UpstreamGroup Group, string Upstream, UpstreamMode? Mode, int? Weight);

/// <param name="IsFound">Whether there is such an upstream.</param>
internal sealed record UpstreamSet(bool IsFound);

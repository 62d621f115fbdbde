using System.Text.Json.Serialization;

namespace Router.Admin;

/// <summary>The members of a cluster.</summary>
/// <param name="Member">Which one says so.</param>
/// <param name="Members">By address.</param>
/// <param name="Unanswered">Members with listeners that are not heard of, or have not answered in time.</param>
/// <param name="Refused">Members that have answered why they tell nothing.</param>
internal sealed record ClusterReport(
    string Member,
    IReadOnlyList<MemberReport> Members,
    IReadOnlyList<string> Unanswered,
    IReadOnlyList<MemberFaultReport> Refused);

/// <summary>Why a member tells nothing.</summary>
/// <param name="Fault">It is busy, of another version, or has more to tell than a message between members holds.
/// </param>
internal sealed record MemberFaultReport(string Member, string Fault);

/// <param name="Address">Where the others reach it.</param>
/// <param name="Status">As Akka.Cluster has it: <c>joining</c>, <c>up</c>, <c>leaving</c>, <c>exiting</c>,
/// <c>down</c>.</param>
/// <param name="Reachable">It is heard of.</param>
/// <param name="Leader">It decides who comes in and is out.</param>
/// <param name="Oldest">Of those with listeners, the one that decides where identities are.</param>
/// <param name="Facts">What it says of itself; null for one without listeners, and without an answer.</param>
internal sealed record MemberReport(
    string Address,
    IReadOnlyList<string> Roles,
    string Status,
    bool Reachable,
    bool Leader,
    bool Oldest,
    MemberFactsReport? Facts);

/// <summary>What a member says of itself.</summary>
/// <param name="Ready">As <c>/ready</c> has it.</param>
/// <param name="Reasons">Why not.</param>
/// <param name="Revision">Of its configuration.</param>
/// <param name="Configuration">The hash of it.</param>
/// <param name="ConfigurationDiffers">From that of the member that was asked, in <c>keys</c> or <c>secrets</c>; null
/// if it does not.</param>
/// <param name="Sessions">Open there.</param>
/// <param name="Attached">Of these, those that speak for an identity.</param>
/// <param name="Waiting">Of these, those that wait for an identity's entity.</param>
/// <param name="Identities">Entities there.</param>
/// <param name="Queued">Messages that wait there for identities without a session.</param>
internal sealed record MemberFactsReport(
    string Version,
    bool Ready,
    IReadOnlyList<string> Reasons,
    long Revision,
    string Configuration,
    string? ConfigurationDiffers,
    int Sessions,
    int Attached,
    int Waiting,
    long Identities,
    long Queued,
    long UptimeMs);

/// <summary>Identities by member, and those that sessions speak for.</summary>
/// <param name="Identities">By name, ordinally.</param>
/// <param name="Next">The last of these where there are more: <c>after</c> of the next page.</param>
internal sealed record IdentitiesReport(
    IReadOnlyList<IdentityCountsReport> Members,
    IReadOnlyList<IdentitySessionReport> Identities,
    string? Next,
    IReadOnlyList<string> Unanswered,
    IReadOnlyList<MemberFaultReport> Refused);

/// <inheritdoc cref="MemberFactsReport"/>
internal sealed record IdentityCountsReport(
    string Member, long Identities, int Attached, int Waiting, long Queued);

/// <summary>A session that has an identity, or wants it.</summary>
/// <param name="State"><c>attached</c>; <c>attaching</c>; <c>ended</c>, which nobody has acknowledged yet.</param>
/// <param name="Epoch">Of the attachment; 0 before.</param>
/// <param name="Revision">Of its newest checkpoint; 0 without one.</param>
internal sealed record IdentitySessionReport(
    string Identity,
    string Member,
    string Session,
    string Peer,
    string State,
    long Epoch,
    long Revision,
    int CheckpointBytes);

/// <summary>What a member tells of its identities.</summary>
internal sealed record IdentitySliceReport(
    IdentityCountsReport Counts, IReadOnlyList<IdentitySessionReport> Identities, bool HasMore);

/// <summary>Which of a member's identities are asked for.</summary>
internal sealed record IdentityListQuery(string Prefix, string After, int Limit);

/// <summary>An identity in the whole cluster.</summary>
/// <param name="Entities">One, but for the moment in which it moves.</param>
/// <param name="Sessions">One, but for the moment in which another takes its place.</param>
/// <param name="Stored">What the store keeps, which is looked for where no member knows the identity; null where one
/// does.</param>
internal sealed record IdentityReport(
    string Identity,
    IReadOnlyList<IdentityEntityReport> Entities,
    IReadOnlyList<IdentitySessionReport> Sessions,
    IdentityStoredReport? Stored,
    IReadOnlyList<string> Unanswered,
    IReadOnlyList<MemberFaultReport> Refused);

/// <summary>A checkpoint that a store keeps.</summary>
/// <param name="Epoch">Of the last attachment.</param>
/// <param name="Revision">Of the checkpoint; 0 without one.</param>
internal sealed record IdentityStoredReport(long Epoch, long Revision, int CheckpointBytes);

/// <summary>What the identity's entity knows.</summary>
/// <param name="Member">Where it is.</param>
/// <param name="State"><c>attached</c>; <c>resting</c>, without a session; <c>asking</c>, <c>releasing</c> and
/// <c>claiming</c> on the way to an attachment; <c>silent</c>, it moves, or does not answer.</param>
/// <param name="Session">That speaks for the identity.</param>
/// <param name="SessionMember">Where that is.</param>
/// <param name="Epoch">The latest.</param>
/// <param name="Revision">Of the newest checkpoint; 0 without one.</param>
/// <param name="CheckpointAgeMs">Since it was given one; null if it has not been since the entity is there.</param>
/// <param name="Queued">Messages that wait for a session.</param>
internal sealed record IdentityEntityReport(
    string Member,
    string State,
    string? Session,
    string? SessionMember,
    string? Peer,
    long Epoch,
    long Revision,
    int CheckpointBytes,
    long? CheckpointAgeMs,
    int Queued);

/// <summary>What a member knows of an identity.</summary>
internal sealed record IdentityPartReport(
    IdentityEntityReport? Entity, IReadOnlyList<IdentitySessionReport> Sessions);

/// <summary>What became of reloading members, one after the other.</summary>
/// <param name="Applied">On all that were asked for.</param>
/// <param name="Members">Those whose turn came, in this order; the last one has refused if it is not applied.</param>
/// <param name="Left">Those whose turn has not come.</param>
internal sealed record ClusterReloadReport(
    bool Applied, IReadOnlyList<MemberReloadReport> Members, IReadOnlyList<string> Left);

/// <param name="Result"><c>done</c>; <c>refused</c>; <c>not-asked</c>, since it is not heard of; or <c>no-answer</c>:
/// then it may be done or not.</param>
/// <param name="Faults">Why it is not done; empty if it is.</param>
internal sealed record MemberReloadReport(
    string Member,
    string Result,
    long? Revision,
    IReadOnlyList<string> Changed,
    IReadOnlyList<string> NeedRestart,
    IReadOnlyList<string> Faults);

/// <summary>Who has a member reload.</summary>
/// <param name="By">An endpoint and the member that it has asked.</param>
/// <param name="ProcessId">Over a unix socket.</param>
/// <param name="UserId">Likewise.</param>
internal sealed record MemberReloadQuery(string By, int? ProcessId, uint? UserId);

/// <summary>How many sessions of a member match; null if it has not answered.</summary>
internal sealed record SessionMemberReport(
    string Member, int? Matched, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Fault);

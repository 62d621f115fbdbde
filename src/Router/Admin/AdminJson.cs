using System.Text.Json;
using System.Text.Json.Serialization;
using Router.Cluster.Members;

namespace Router.Admin;

/// <summary>All that is read and written, in kebab-case as in the log. The command line reads it by the same types.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(ProblemReport))]
[JsonSerializable(typeof(IndexReport))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(StatsReport))]
[JsonSerializable(typeof(LogLevelReport))]
[JsonSerializable(typeof(ReloadReport))]
[JsonSerializable(typeof(DrainReport))]
[JsonSerializable(typeof(ListenersReport))]
[JsonSerializable(typeof(UpstreamsReport))]
[JsonSerializable(typeof(UpstreamWeightReport))]
[JsonSerializable(typeof(SessionPageReport))]
[JsonSerializable(typeof(SessionDetailReport))]
[JsonSerializable(typeof(SessionCloseReport))]
[JsonSerializable(typeof(ClusterReport))]
[JsonSerializable(typeof(MemberFactsReport))]
[JsonSerializable(typeof(ConfigurationTold))]
[JsonSerializable(typeof(IdentitiesReport))]
[JsonSerializable(typeof(IdentitySliceReport))]
[JsonSerializable(typeof(IdentityListQuery))]
[JsonSerializable(typeof(IdentityReport))]
[JsonSerializable(typeof(IdentityPartReport))]
[JsonSerializable(typeof(ClusterReloadReport))]
[JsonSerializable(typeof(MemberReloadReport))]
[JsonSerializable(typeof(MemberReloadQuery))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(TraceAsked))]
[JsonSerializable(typeof(TraceReport))]
[JsonSerializable(typeof(TracesReport))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class AdminJson : JsonSerializerContext;

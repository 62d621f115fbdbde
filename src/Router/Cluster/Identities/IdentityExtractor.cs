using System.Globalization;
using Akka.Cluster.Sharding;
using Akka.Util;

namespace Router.Cluster.Identities;

/// <summary>Says which identity a message is for, and which shard that is in.</summary>
/// <param name="shards">The same on all members.</param>
internal sealed class IdentityExtractor(int shards) : IMessageExtractor
{
    public string? EntityId(object message) => (message as IToIdentity)?.Identity;

    public object EntityMessage(object message) => message;

    public string? ShardId(object message) =>
        message is IToIdentity told ? ShardId(told.Identity, told) : null;

    /// <summary>A hash that is the same in every process.</summary>
    public string ShardId(string entityId, object? messageHint = null)
    {
        var hash = (uint)MurmurHash.StringHash(entityId);
        return (hash % (uint)shards).ToString(CultureInfo.InvariantCulture);
    }
}

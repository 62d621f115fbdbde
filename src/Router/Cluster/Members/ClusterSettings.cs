using System.Globalization;
using Akka.Cluster.Sharding;
using Router.Cluster.Identities;
using Router.Configuration;
using AkkaConfig = Akka.Configuration.Config;
using AkkaConfigurationFactory = Akka.Configuration.ConfigurationFactory;

namespace Router.Cluster.Members;

/// <summary>The Akka settings that make an actor system a member of a cluster.</summary>
internal static class ClusterSettings
{
    /// <summary>Of every member that has listeners, and so may have identities.</summary>
    public const string Role = "router";

    /// <summary>The largest message between members; one beyond it is discarded with an error in the log. A checkpoint
    /// is far below it.</summary>
    public const int FrameBytes = 1 << 20;

    /// <summary>A key of ours, by which programs that are members find it.</summary>
    public const string ShardsKey = "router-cluster.shards";

    /// <summary>The first answer of a member that stands still for a second is not missed; see cluster.md for what
    /// each of the figures risks.</summary>
    private const string FastDetection =
        """
        akka.remote.retry-gate-closed-for = 500ms
        akka.cluster {
          seed-node-timeout = 1500ms
          retry-unsuccessful-join-after = 400ms
          gossip-interval = 200ms
          leader-actions-interval = 200ms
          unreachable-nodes-reaper-interval = 200ms
          failure-detector {
            heartbeat-interval = 200ms
            acceptable-heartbeat-pause = 1s
          }
          split-brain-resolver.stable-after = 1s
          sharding.retry-interval = 500ms
        }
        """;

    /// <summary>What holds whatever the detection is.</summary>
    private static string Common =>
        $$"""
        akka {
          actor {
            serializers.router-cluster = "{{typeof(ClusterSerializer).AssemblyQualifiedName}}"
            serialization-bindings {
              "{{typeof(IClusterMessage).AssemblyQualifiedName}}" = router-cluster
            }
          }
          remote.log-remote-lifecycle-events = off
          scheduler.own-thread = on
          cluster {
            log-info = off
            sharding {
              remember-entities = off
              handoff-timeout = 12s
              updating-state-timeout = 1s
              passivate-idle-entity-after = off
              role = {{Role}}
              coordinator-state.write-majority-plus = 0
              coordinator-state.read-majority-plus = 0
              distributed-data {
                majority-min-cap = 2
                durable.keys = []
              }
            }
            distributed-data.durable.keys = []
            pub-sub {
              role = {{Role}}
              gossip-interval = 200ms
              max-delta-elements = 1000
              removed-time-to-live = 10s
              send-to-dead-letters-when-no-subscribers = off
            }
          }
        }
        {{OwnThread}}.type = PinnedDispatcher
        """;

    /// <summary>What all members have alike, those without listeners too: any of them may be the cluster's leader, who
    /// decides who is in it, and Akka refuses those who keep the shards' places otherwise. With tcp-reuse-addr two
    /// processes would bind one port (.NET makes it SO_REUSEPORT); a port in TIME_WAIT is bound without.</summary>
    private static string Alike =>
        $$"""
        akka {
          actor.provider = cluster
          remote.dot-netty.tcp {
            tcp-reuse-addr = off
            maximum-frame-size = {{FrameBytes}}b
            send-buffer-size = {{2 * FrameBytes}}b
            receive-buffer-size = {{2 * FrameBytes}}b
          }
          cluster {
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver {
              active-strategy = keep-majority
              keep-majority.role = {{Role}}
            }
            sharding.state-store-mode = ddata
          }
        }
        """;

    /// <summary>An actor with a thread of its own, whom nothing else keeps waiting.</summary>
    public const string OwnThread = "router-own-thread";

    /// <param name="options">The configuration's section.</param>
    public static AkkaConfig Of(ClusterOptions options) =>
        AkkaConfigurationFactory.ParseString(TextOf(options)).WithFallback(AkkaConfigurationFactory.ParseString(Common))
            .WithFallback(AkkaConfigurationFactory.ParseString(Alike))
            .WithFallback(IdentitiesOf(options.Shards));

    /// <summary>What a program without listeners must not have otherwise than the cluster's routers.</summary>
    /// <param name="detection">As theirs.</param>
    /// <param name="certificates">Where members talk TLS; null where they do not.</param>
    public static AkkaConfig WithoutListeners(ClusterDetection detection, RouterCertificates? certificates) =>
        AkkaConfigurationFactory.ParseString(
            $"""
            {(detection == ClusterDetection.Fast ? FastDetection : "")}
            {Alike}
            {(certificates is null ? "" : MemberTransport.Settings(certificates))}
            """);

    /// <summary>What a program needs that has no listeners, to reach identities.</summary>
    public static AkkaConfig IdentitiesOf(int shards) =>
        AkkaConfigurationFactory.ParseString($"{ShardsKey} = {shards.ToString(CultureInfo.InvariantCulture)}")
            .WithFallback(AkkaConfigurationFactory.ParseString(IdentitySerializer.Settings))
            .WithFallback(ClusterSharding.DefaultConfig());

    private static string TextOf(ClusterOptions options)
    {
        var roles = string.Join(", ", options.Roles.Prepend(Role).Distinct(StringComparer.Ordinal).Select(Quoted));
        return $$"""
            {{(options.Detection == ClusterDetection.Fast ? FastDetection : "")}}
            {{(IsLaterSeed(options) ? "akka.cluster.seed-node-timeout = 500ms" : "")}}
            akka.cluster.roles = [{{roles}}]
            akka.cluster.down-removal-margin = {{MillisecondsOf(RemovalMargin(options))}}ms
            akka.remote.dot-netty.tcp {
              public-hostname = {{Quoted(options.Host)}}
              hostname = {{Quoted(options.BindHost ?? options.Host)}}
              port = {{options.Port.ToString(CultureInfo.InvariantCulture)}}
            }
            {{(options.Tls.IsSet ? MemberTransport.Settings(FilesOf(options)) : "")}}
            """;
    }

    /// <param name="options">Those of a member with TLS: all three files are set.</param>
    private static RouterCertificates FilesOf(ClusterOptions options) => new(
        options.Tls.Certificate!, options.Tls.Key!, options.Tls.Authority!)
    {
        Names = [.. options.SharedNames],
    };

    /// <summary>Only the first seed begins a cluster, when nobody has answered for the time that this key says. All
    /// others ask again after it: the first one may just not have been in its own cluster yet.</summary>
    private static bool IsLaterSeed(ClusterOptions options) =>
        options.Detection == ClusterDetection.Fast && options.Port > 0 && options.Seeds is [var first, ..]
        && first != new ClusterAddress(options.Host, options.Port);

    /// <summary>What a removed member had is given away so long after: before, its fence has shut. It is not removed
    /// earlier than in 2 s (fast: 1 s of silence, stable for 1 s) or 23 s (Akka's: 3 s, 20 s).</summary>
    private static TimeSpan RemovalMargin(ClusterOptions options)
    {
        var (removed, margin) = options.Detection == ClusterDetection.Fast ? (2.0, 0.3) : (23.0, 20.0);
        return TimeSpan.FromSeconds(Math.Max(margin, options.FenceTimeout.TotalSeconds - removed + 0.3));
    }

    private static string MillisecondsOf(TimeSpan time) =>
        ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private static string Quoted(string text) => $"\"{text}\"";
}

using Akka.Configuration;
using Akka.Remote;
using Router.Cluster;
using Router.Cluster.Members;
using Router.Tests.Configuration;

namespace Router.Tests.Cluster.Members;

public sealed class ClusterSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("router-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>TLS may keep a link's first answer until the link's own heartbeat comes after it. Members ask each
    /// other over that link: the one at its end is missed if the heartbeat is later than they wait.</summary>
    [Theory]
    [InlineData("fast")]
    [InlineData("default")]
    public void Over_TLS_a_link_s_heartbeat_comes_before_its_member_is_missed(string detection)
    {
        TestCertificates.Make(_folder, "127.0.0.1");
        var tls = TestCertificates.Section(_folder, "127.0.0.1");
        var options = Loaded.Options(
            $$"""
            {{Loaded.Echo}}
            router.cluster { detection = {{detection}}, {{tls}} }
            """).Cluster!;
        var files = new RouterCertificates(options.Tls.Certificate!, options.Tls.Key!, options.Tls.Authority!);

        foreach (var member in new[]
                 {
                     ClusterSettings.Of(options), ClusterSettings.WithoutListeners(options.Detection, files),
                 })
        {
            var settings = member
                .WithFallback(ConfigurationFactory.FromResource<Akka.Cluster.Cluster>(
                    "Akka.Cluster.Configuration.Cluster.conf"))
                .WithFallback(ConfigurationFactory.FromResource<RemoteActorRefProvider>(
                    "Akka.Remote.Configuration.Remote.conf"));

            Assert.True(
                settings.GetTimeSpan("akka.remote.transport-failure-detector.heartbeat-interval")
                    < settings.GetTimeSpan("akka.cluster.failure-detector.acceptable-heartbeat-pause"));
        }
    }
}

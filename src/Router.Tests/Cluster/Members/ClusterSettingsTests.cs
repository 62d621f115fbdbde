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

    /// <summary>What members tell each other of the rooms that they hear is one message: a name of 128 characters (a
    /// route of 64, a room of 64), and an actor of that name at a host of 253.</summary>
    [Fact]
    public void As_much_of_the_rooms_as_members_tell_each_other_at_once_fits_into_a_message()
    {
        const int Name = 128 + 34;
        var entry = Name + "akka.ssl.tcp://router@:27200".Length + 253 + Name + 16;
        var most = ClusterSettings.Of(Loaded.Options($"{Loaded.Echo}\nrouter.cluster {{}}").Cluster!)
            .GetInt("akka.cluster.pub-sub.max-delta-elements");

        Assert.InRange(most, 1, ClusterSettings.FrameBytes / entry);
    }

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

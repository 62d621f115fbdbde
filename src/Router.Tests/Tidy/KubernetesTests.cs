using k8s;
using k8s.Models;
using Router.CommandLine.Client;
using Router.Configuration;
using Router.Running;

namespace Router.Tests.Tidy;

/// <summary>packaging/kubernetes/router.yaml is read as a cluster would read it, and fits the image and the router.
/// </summary>
public sealed class KubernetesTests
{
    private readonly IReadOnlyList<object> _all =
        KubernetesYaml.LoadAllFromString(Repository.Read("packaging/kubernetes/router.yaml"), strict: true);

    private readonly string _image = Repository.Read("packaging/Containerfile");

    private V1PodSpec Pod => Assert.Single(_all.OfType<V1Deployment>()).Spec.Template.Spec;

    private V1Container Container => Assert.Single(Pod.Containers);

    /// <summary>A key that the kind does not have is a fault here, as it is with kubectl.</summary>
    [Fact]
    public void Each_part_is_of_a_kind_and_has_no_key_that_the_kind_does_not_have() => Assert.Equal(
        [typeof(V1ConfigMap), typeof(V1Deployment), typeof(V1Service)], _all.Select(static one => one.GetType()));

    [Fact]
    public void Its_configuration_is_taken_and_its_ports_are_those_of_the_listeners()
    {
        var options = Options();
        var bound = options.Listeners.SelectMany(static listener => listener.Binds)
            .Select(static bind => ($"{bind.Transport}".ToUpperInvariant(), bind.EndPoint.Port))
            .ToList();

        Assert.NotEmpty(bound);
        Assert.Equal(bound, Container.Ports.Select(static port => (port.Protocol, port.ContainerPort)));
        var service = Assert.Single(_all.OfType<V1Service>()).Spec;
        Assert.Equal(
            Container.Ports.Select(static port => (port.Protocol, port.Name)),
            service.Ports.Select(static port => (port.Protocol, port.TargetPort.Value)));
        Assert.Equal(
            Assert.Single(_all.OfType<V1Deployment>()).Spec.Template.Metadata.Labels, service.Selector);
    }

    [Fact]
    public void The_pod_has_time_for_a_whole_drain() => Assert.True(
        TimeSpan.FromSeconds(Pod.TerminationGracePeriodSeconds!.Value) > Options().DrainTimeout);

    [Fact]
    public void The_file_is_where_the_image_reads_it_and_the_user_is_the_images()
    {
        var mounted = Assert.Single(Container.VolumeMounts);
        var map = Assert.Single(_all.OfType<V1ConfigMap>());
        Assert.Contains(
            $"\"--config\", \"{mounted.MountPath}/{Assert.Single(map.Data.Keys)}\"]", _image, StringComparison.Ordinal);
        Assert.Equal(mounted.Name, Assert.Single(Pod.Volumes).Name);
        Assert.Equal(map.Metadata.Name, Assert.Single(Pod.Volumes).ConfigMap.Name);
        var user = Pod.SecurityContext;
        Assert.Contains($"\nUSER {user.RunAsUser}:{user.RunAsGroup}\n", _image, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_probes_are_commands_of_the_router_which_find_the_endpoint_by_themselves()
    {
        string[][] probes = [[.. Container.ReadinessProbe.Exec.Command], [.. Container.LivenessProbe.Exec.Command]];

        Assert.All(probes, probe =>
            Assert.Contains($"\nENTRYPOINT [\"{probe[0]}\"]\n", _image, StringComparison.Ordinal));
        Assert.Equal([["ready"], ["live"]], probes.Select(static probe => probe[1..]));
        Assert.Equal(AdminTarget.BuiltIn, $"{Options().Admin.Bind}");
    }

    private RouterOptions Options()
    {
        using var file = new TextFile(Assert.Single(Assert.Single(_all.OfType<V1ConfigMap>()).Data.Values));
        var loaded = SetupLoader.Load(file.Path, [], ProgramParts.None, TimeProvider.System);
        Assert.Empty(loaded.Faults);
        return loaded.Setup!.Options;
    }
}

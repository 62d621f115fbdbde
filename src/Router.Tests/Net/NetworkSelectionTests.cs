using Router.Net;
using Router.TestKit.Net;

namespace Router.Tests.Net;

public sealed class NetworkSelectionTests
{
    [Fact]
    public void Where_the_calls_work_they_are_chosen_and_the_log_says_why()
    {
        var selected = NetworkSelection.TrySelect(NetworkChoice.Auto, out var network, out var reason);

        Assert.True(selected);
        Assert.Equal(LinuxNetwork.IsSupported ? "linux" : "portable", network!.Name);
        Assert.StartsWith($"{network.Name}: ", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_portable_network_is_had_for_the_asking()
    {
        Assert.True(NetworkSelection.TrySelect(NetworkChoice.Portable, out var network, out var reason));
        Assert.Equal("portable", network!.Name);
        Assert.Equal("portable: asked for by the configuration", reason);
    }

    [Fact]
    public void Elsewhere_than_on_linux_the_portable_network_is_chosen_unless_linux_is_insisted_on()
    {
        Assert.True(NetworkSelection.TrySelect(NetworkChoice.Auto, null, out var network, out var reason));
        Assert.Equal("portable", network!.Name);
        Assert.Contains("not on 64-bit Linux", reason, StringComparison.Ordinal);
        Assert.EndsWith("it is for some hundreds of sessions", reason, StringComparison.Ordinal);

        Assert.False(NetworkSelection.TrySelect(NetworkChoice.Linux, null, out network, out reason));
        Assert.Null(network);
        Assert.StartsWith("network = linux cannot be had: ", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_without_the_calls_is_known_before_the_first_datagram()
    {
        LinuxCall[] all =
        [
            LinuxCall.EpollCreate, LinuxCall.EventFd, LinuxCall.EpollControl,
            LinuxCall.Socket, LinuxCall.ReceiveMany, LinuxCall.SendMany,
        ];
        foreach (var call in all)
        {
            var calls = new ScriptedCalls().Fail(call, Errno.ENOSYS);

            Assert.True(NetworkSelection.TrySelect(NetworkChoice.Auto, calls, out var network, out var reason));

            Assert.Equal("portable", network!.Name);
            Assert.Contains("ENOSYS, Function not implemented", reason, StringComparison.Ordinal);
            Assert.Empty(calls.OpenSockets);
        }
    }
}

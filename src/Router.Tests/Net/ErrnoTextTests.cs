using System.Runtime.InteropServices;
using Router.Net;

namespace Router.Tests.Net;

public sealed class ErrnoTextTests
{
    [Fact]
    public void Every_errno_has_its_name_and_the_systems_text()
    {
        foreach (var errno in Enum.GetValues<Errno>())
        {
            Assert.Equal(errno.ToString(), ErrnoText.Name(errno));
            if (OperatingSystem.IsLinux())
            {
                Assert.Equal(Marshal.GetPInvokeErrorMessage((int)errno), ErrnoText.Text(errno));
            }
        }
    }

    [Fact]
    public void An_unlisted_errno_is_named_by_its_number()
    {
        Assert.Equal("errno 4095", ErrnoText.Name((Errno)4095));
        Assert.StartsWith("errno 4095, ", ErrnoText.Describe(-4095, SocketOperation.Send), StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_says_what_to_do_where_something_can_be_done()
    {
        Assert.Equal(
            "EACCES, Permission denied: ports below 1024 need CAP_NET_BIND_SERVICE "
                + "(or a lower net.ipv4.ip_unprivileged_port_start)",
            ErrnoText.Describe(Errno.EACCES, SocketOperation.Bind));
        Assert.Equal(
            "ECONNRESET, Connection reset by peer", ErrnoText.Describe(Errno.ECONNRESET, SocketOperation.Receive));
        Assert.Contains(
            "RLIMIT_NOFILE", ErrnoText.Describe(Errno.EMFILE, SocketOperation.Accept), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Errno.ECONNREFUSED, SocketErrorClass.Peer)]
    [InlineData(Errno.EHOSTUNREACH, SocketErrorClass.Peer)]
    [InlineData(Errno.ECONNRESET, SocketErrorClass.Peer)]
    [InlineData(Errno.EMSGSIZE, SocketErrorClass.Peer)]
    [InlineData(Errno.EAGAIN, SocketErrorClass.Transient)]
    [InlineData(Errno.EINTR, SocketErrorClass.Transient)]
    [InlineData(Errno.EMFILE, SocketErrorClass.Exhausted)]
    [InlineData(Errno.ENFILE, SocketErrorClass.Exhausted)]
    [InlineData(Errno.ENOBUFS, SocketErrorClass.Exhausted)]
    [InlineData(Errno.EBADF, SocketErrorClass.Fatal)]
    [InlineData(Errno.EADDRINUSE, SocketErrorClass.Fatal)]
    [InlineData((Errno)4095, SocketErrorClass.Fatal)]
    public void An_errno_is_sorted_by_whose_matter_it_is(Errno errno, object expected) =>
        Assert.Equal(expected, SocketErrors.Classify(errno));
}

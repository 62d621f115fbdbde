using Router.Net;
using Router.Upstreams;

namespace Router.Tests.Upstreams;

public sealed class UpstreamErrorsTests
{
    [Theory]
    [InlineData(Errno.ECONNREFUSED)]
    [InlineData(Errno.ECONNRESET)]
    [InlineData(Errno.ETIMEDOUT)]
    [InlineData(Errno.ENETUNREACH)]
    [InlineData(Errno.EHOSTUNREACH)]
    [InlineData(Errno.ENETDOWN)]
    [InlineData(Errno.EHOSTDOWN)]
    [InlineData(Errno.EADDRNOTAVAIL)]
    [InlineData(Errno.EAFNOSUPPORT)]
    [InlineData(Errno.EACCES)]
    [InlineData(Errno.EPROTO)]
    [InlineData(Errno.EINVAL)]
    public void What_another_upstream_may_not_have_is_the_upstream_s(Errno errno)
    {
        Assert.Equal(UpstreamErrorClass.Upstream, UpstreamErrors.OfConnect(errno, isUnix: false));
        Assert.Equal(UpstreamErrorClass.Upstream, UpstreamErrors.OfSend(errno));
    }

    [Theory]
    [InlineData(Errno.ENOENT)]
    [InlineData(Errno.ENOTDIR)]
    [InlineData(Errno.ELOOP)]
    [InlineData(Errno.EPROTOTYPE)]
    [InlineData(Errno.ECONNREFUSED)]
    public void What_a_unix_socket_s_path_says_is_the_upstream_s(Errno errno)
    {
        Assert.Equal(UpstreamErrorClass.Upstream, UpstreamErrors.OfConnect(errno, isUnix: true));
        Assert.Equal(UpstreamErrorClass.Upstream, UpstreamErrors.OfSend(errno));
    }

    [Theory]
    [InlineData(Errno.EMFILE)]
    [InlineData(Errno.ENFILE)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    [InlineData(Errno.ENOSPC)]
    [InlineData(Errno.EAGAIN)]
    [InlineData(Errno.EBADF)]
    public void What_this_host_lacks_for_a_socket_is_ours(Errno errno) =>
        Assert.Equal(UpstreamErrorClass.Own, UpstreamErrors.OfConnect(errno, isUnix: false));

    [Fact]
    public void A_full_accept_queue_is_the_upstream_s() =>
        Assert.Equal(UpstreamErrorClass.Upstream, UpstreamErrors.OfConnect(Errno.EAGAIN, isUnix: true));

    [Theory]
    [InlineData(Errno.EINPROGRESS)]
    [InlineData(Errno.EALREADY)]
    [InlineData(Errno.EINTR)]
    public void A_connect_that_goes_on_is_no_failure(Errno errno) =>
        Assert.Equal(UpstreamErrorClass.Retry, UpstreamErrors.OfConnect(errno, isUnix: false));

    [Theory]
    [InlineData(Errno.EAGAIN, UpstreamErrorClass.Retry)]
    [InlineData(Errno.EINTR, UpstreamErrorClass.Retry)]
    [InlineData(Errno.ENOBUFS, UpstreamErrorClass.Retry)]
    [InlineData(Errno.ENOMEM, UpstreamErrorClass.Retry)]
    [InlineData(Errno.EMSGSIZE, UpstreamErrorClass.Own)]
    [InlineData(Errno.EPERM, UpstreamErrorClass.Own)]
    [InlineData(Errno.EBADF, UpstreamErrorClass.Own)]
    [InlineData((Errno)4095, UpstreamErrorClass.Own)]
    public void A_datagram_that_cannot_be_sent_is_sorted(Errno errno, object expected) =>
        Assert.Equal(expected, UpstreamErrors.OfSend(errno));
}

using System.Net;
using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Tests.Net;

public sealed class SocketAddrTests
{
    [Theory]
    [InlineData("192.0.2.7:5000", "[::ffff:192.0.2.7]:6000", true)]
    [InlineData("192.0.2.7:5000", "192.0.2.7:0", true)]
    [InlineData("[2001:db8::7]:5000", "[2001:db8::7]:6000", true)]
    [InlineData("192.0.2.7:5000", "192.0.2.8:5000", false)]
    [InlineData("[2001:db8::7]:5000", "[2001:db8::8]:5000", false)]
    [InlineData("[::1]:5000", "127.0.0.1:5000", false)]
    public void An_address_alone_is_the_same_for_every_port_and_spelling(string one, string other, bool isSame)
    {
        var first = NetRig.At(one).AddressOnly;

        Assert.Equal(isSame, first == NetRig.At(other).AddressOnly);
        Assert.Equal(0, first.Port);
    }

    [Theory]
    [InlineData("127.0.0.1:53", 16)]
    [InlineData("255.255.255.255:65535", 16)]
    [InlineData("0.0.0.0:0", 16)]
    [InlineData("[::1]:53", 28)]
    [InlineData("[2001:db8::1:2:3]:27123", 28)]
    [InlineData("[fe80::1%7]:9", 28)]
    public void An_endpoint_comes_back_as_it_was(string text, int length)
    {
        var endPoint = IPEndPoint.Parse(text);

        var address = SocketAddr.From(endPoint);

        Assert.Equal(endPoint, address.ToIPEndPoint());
        Assert.Equal(length, address.Length);
        Assert.Equal(endPoint.Port, address.Port);
        Assert.Equal(endPoint.ToString(), address.ToString());
        Assert.False(address.IsEmpty);
    }

    [Fact]
    public void The_bytes_are_those_of_the_kernels_structures()
    {
        var four = SocketAddr.From(IPEndPoint.Parse("1.2.3.4:258"));
        var six = SocketAddr.From(IPEndPoint.Parse("[102:304:506:708:90a:b0c:d0e:f10]:258"));

        Assert.Equal([2, 0, 1, 2, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0], Bytes(four)[..16]);
        Assert.Equal(
            [10, 0, 1, 2, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0, 0, 0],
            Bytes(six)[..28]);
    }

    [Fact]
    public void A_mapped_address_is_shown_as_ipv4_and_is_another_key()
    {
        var four = NetRig.At("10.1.2.3:5");
        var mapped = four.MapToIPv6();

        Assert.NotEqual(four, mapped);
        Assert.Equal(SocketAddr.FamilyIPv6, mapped.Family);
        Assert.Equal("10.1.2.3:5", mapped.ToString());
        Assert.Equal(mapped, mapped.MapToIPv6());
    }

    [Fact]
    public void Normalizing_clears_the_flow_label_and_leftovers()
    {
        var six = NetRig.At("[2001:db8::1]:5");
        var labelled = six;
        labelled.Word0 |= 0xdead_beef_0000_0000;
        labelled.Word3 |= 0xffff_ffff_0000_0000;
        labelled.Normalize();
        var four = NetRig.At("10.1.2.3:5");
        var dirty = four;
        (dirty.Word1, dirty.Word2, dirty.Word3) = (1, 2, 3);
        dirty.Normalize();

        Assert.Equal(six, labelled);
        Assert.Equal(four, dirty);
    }

    [Theory]
    [InlineData("127.0.0.1:1", true, false)]
    [InlineData("127.255.0.9:1", true, false)]
    [InlineData("126.0.0.1:1", false, false)]
    [InlineData("0.0.0.0:1", false, true)]
    [InlineData("[::1]:1", true, false)]
    [InlineData("[::]:1", false, true)]
    [InlineData("[::ffff:127.3.2.1]:1", true, false)]
    [InlineData("[::ffff:128.0.0.1]:1", false, false)]
    [InlineData("[2001:db8::1]:1", false, false)]
    public void Loopback_and_wildcard_are_known_in_every_spelling(string text, bool loopback, bool wildcard)
    {
        var address = NetRig.At(text);

        Assert.Equal(loopback, address.IsLoopback);
        Assert.Equal(wildcard, address.IsWildcard);
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("2001:db8::7")]
    [InlineData("fe80::1%3")]
    public void A_local_address_comes_back_as_it_was(string text)
    {
        var address = LocalAddr.From(IPAddress.Parse(text));

        Assert.Equal(IPAddress.Parse(text), address.Address);
        Assert.False(address.IsEmpty);
        Assert.Equal(text, address.ToString());
        Assert.Equal(address, LocalAddr.From(SocketAddr.From(IPAddress.Parse(text), port: 53)));
        Assert.Equal(address, LocalAddr.From(SocketAddr.From(IPAddress.Parse(text), port: 53).MapToIPv6()));
    }

    [Fact]
    public void A_local_address_from_the_kernels_bytes_equals_the_one_from_text()
    {
        var four = default(LocalAddr);
        four.SetIPv4(BitConverter.ToUInt32([127, 0, 0, 2]));
        var none = default(LocalAddr);
        none.SetIPv4(0);
        var linkLocal = LocalAddr.From(IPAddress.Parse("fe80::1%3"));
        var fromParts = default(LocalAddr);
        fromParts.SetIPv6(linkLocal.High, linkLocal.Low, 3);
        var global = LocalAddr.From(IPAddress.Parse("2001:db8::7"));
        var globalFromParts = default(LocalAddr);
        globalFromParts.SetIPv6(global.High, global.Low, 9);
        var group = LocalAddr.From(IPAddress.Parse("ff02::1"));

        Assert.Equal(LocalAddr.From(IPAddress.Parse("127.0.0.2")), four);
        Assert.True(none.IsEmpty);
        Assert.Equal(linkLocal, fromParts);
        Assert.Equal(global, globalFromParts);
        Assert.True(group.IsEmpty);
        Assert.True(LocalAddr.From(IPAddress.Parse("224.0.0.251")).IsEmpty);
        Assert.True(LocalAddr.From(IPAddress.Parse("239.255.255.255")).IsEmpty);
        Assert.True(LocalAddr.From(IPAddress.Broadcast).IsEmpty);
        Assert.False(LocalAddr.From(IPAddress.Parse("223.255.255.255")).IsEmpty);
        Assert.False(LocalAddr.From(IPAddress.Parse("240.0.0.1")).IsEmpty);
        Assert.Equal("-", none.ToString());
    }

    private static byte[] Bytes(SocketAddr address)
    {
        var bytes = new byte[32];
        Unsafe.WriteUnaligned(ref bytes[0], address);
        return bytes;
    }
}

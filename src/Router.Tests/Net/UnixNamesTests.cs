using System.Text;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>The table of names: what it keeps, what it forgets, and what people see of it.</summary>
public sealed class UnixNamesTests
{
    private static readonly PeerCredentials Someone = new(4_242, 33, 33);

    [Fact]
    public void The_table_is_bounded_and_keeps_what_is_held()
    {
        var held = Peer("@held-by-a-session", Someone);
        UnixNames.Hold(held);
        var first = Peer("@flood-0", Someone);

        for (var i = 1; i <= UnixNames.SpareMax + 10; i++)
        {
            Peer($"@flood-{i}", Someone);
        }

        Assert.InRange(UnixNames.Count, UnixNames.SpareMax, UnixNames.SpareMax + 5_000);   // and what other tests hold
        Assert.Equal("unix:@held-by-a-session", held.ToString());
        Assert.Equal(Someone, UnixAddress.CredentialsOf(held));
        Assert.Equal("unix:-", first.ToString());
        Assert.Null(UnixAddress.CredentialsOf(first));
        Assert.NotEqual(first, Peer("@flood-0", Someone));   // a number is never given twice

        UnixNames.Return(held);
        Assert.Equal("unix:@held-by-a-session", held.ToString());   // still known for a while
    }

    [Fact]
    public void Another_process_under_the_same_name_is_another_peer()
    {
        var one = Peer("@same", Someone);

        Assert.Equal(one, Peer("@same", Someone));
        Assert.NotEqual(one, Peer("@same", Someone with { ProcessId = 4_243 }));
        Assert.NotEqual(one, Peer("@same", Someone with { UserId = 0 }));
        Assert.True(UnixAddress.IsSameName(one, UnixAddress.Of("@same", UnixSocketType.Stream)));
    }

    [Theory]
    [InlineData("/run/app.sock", "/run/app.sock")]
    [InlineData("\0app", "@app")]
    [InlineData("\0a\0b", "@a\\x00b")]
    [InlineData("/a b\\c\n", "/a\\x20b\\x5cc\\x0a")]
    [InlineData("/\u001b[2J", "/\\x1b[2J")]
    [InlineData("/\u202egnp", "/\\xe2\\x80\\xaegnp")]
    [InlineData("/sch\u00f6n", "/sch\u00f6n")]
    [InlineData("", "")]
    public void A_name_is_printed_so_that_it_is_one_word(string name, string text) =>
        Assert.Equal(text, UnixAddress.TextOf(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Bytes_that_are_no_text_are_printed_too() =>
        Assert.Equal("@\\xff\\xfe", UnixAddress.TextOf([0, 0xff, 0xfe]));

    [Fact]
    public void An_address_has_neither_address_nor_port()
    {
        var address = UnixAddress.Of("/run/app.sock", UnixSocketType.Packet);

        Assert.True(address is { IsUnix: true, IsEmpty: false, IsWildcard: false, IsLoopback: false, Port: 0 });
        Assert.Equal(UnixSocketType.Packet, address.UnixType);
        Assert.Equal("255.255.255.255:0", address.ToIPEndPoint().ToString());
        Assert.Equal("unix:/run/app.sock", address.ToString());
        Assert.Equal(address, UnixAddress.Of("/run/app.sock", UnixSocketType.Packet));
        Assert.NotEqual(address, UnixAddress.Of("/run/app.sock", UnixSocketType.Stream));
        Assert.True(UnixAddress.TryParse("unixpacket:///run/app.sock", out var parsed));
        Assert.Equal(address, parsed);
    }

    [Fact]
    public void What_a_peer_is_hashed_by_is_its_name_or_its_user()
    {
        byte[] Hash(SocketAddr address) => UnixAddress.HashBytes(address, new byte[16]).ToArray();

        var one = Peer("@one", Someone);
        Assert.Equal(Hash(one), Hash(Peer("@one", Someone with { ProcessId = 7 })));
        Assert.NotEqual(Hash(one), Hash(Peer("@two", Someone)));
        Assert.NotEqual(Hash(Peer("", Someone)), Hash(Peer("", Someone with { UserId = 34 })));
        Assert.Equal(Hash(Peer("", Someone)), Hash(Peer("", Someone with { ProcessId = 7 })));
    }

    [Fact]
    public void Users_and_groups_are_found_by_name_and_by_number()
    {
        Assert.True(UnixAccounts.TryUser("root", out var root) && UnixAccounts.TryGroup("root", out _));
        Assert.Equal(0, root);
        Assert.True(UnixAccounts.TryUser("65534", out var number));
        Assert.Equal(65_534, number);
        Assert.False(UnixAccounts.TryUser("no-such-user-here", out _));
        Assert.False(UnixAccounts.TryGroup("-1", out _));
    }

    private static SocketAddr Peer(string name, PeerCredentials credentials) => SocketAddr.Unix(
        UnixSocketType.Datagram,
        UnixNames.NumberOf(Encoding.UTF8.GetBytes(name.Replace('@', '\0')), credentials));
}

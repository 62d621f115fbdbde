using System.Net;
using Router.Cluster.Members;
using Router.Configuration;
using Router.TestKit.Simulation;
using Router.Upstreams;

namespace Router.Tests.Cluster.Members;

public sealed class DnsMembersTests : INameResolver
{
    private readonly VirtualTimeProvider _time = new();
    private string[] _answer = [];

    [Fact]
    public async Task The_lowest_begins_once_the_answer_has_been_the_same_for_a_while()
    {
        var lowest = Of("10.0.0.9");
        var other = Of("10.0.0.10");
        _answer = ["10.0.0.10", "10.0.0.9"];

        Assert.False((await LookAsync(lowest)).MayBegin);
        Assert.False((await LookAsync(other)).MayBegin);
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False((await LookAsync(lowest)).MayBegin);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        var look = await LookAsync(lowest);
        Assert.True(look.MayBegin);
        Assert.Equal(["10.0.0.10:27200"], look.Others.Select(static one => $"{one}"));
        look = await LookAsync(other);
        Assert.False(look.MayBegin);
        Assert.Equal(["10.0.0.9:27200"], look.Others.Select(static one => $"{one}"));
    }

    [Fact]
    public async Task Each_change_of_the_answer_begins_the_while_anew_and_another_order_is_none()
    {
        var lowest = Of("10.0.0.9");
        _answer = ["10.0.0.9"];
        await LookAsync(lowest);
        _time.Advance(TimeSpan.FromSeconds(2));
        _answer = ["10.0.0.9", "10.0.0.11", "10.0.0.12"];
        await LookAsync(lowest);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False((await LookAsync(lowest)).MayBegin);
        _answer = ["10.0.0.12", "10.0.0.9", "10.0.0.11"];
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await LookAsync(lowest)).MayBegin);
    }

    [Fact]
    public async Task A_member_that_the_name_does_not_have_never_begins()
    {
        var unknown = Of("10.0.0.1");
        _answer = ["10.0.0.9"];
        await LookAsync(unknown);
        _time.Advance(TimeSpan.FromHours(1));

        var look = await LookAsync(unknown);
        Assert.False(look.MayBegin);
        Assert.Equal(["10.0.0.9:27200"], look.Others.Select(static one => $"{one}"));
    }

    [Fact]
    public async Task Addresses_of_the_other_kind_do_not_count_and_mapped_ones_are_the_same()
    {
        var four = Of("10.0.0.9");
        var six = Of("fd00::9");
        _answer = ["fd00::9", "::ffff:10.0.0.9", "10.0.0.9", "10.0.0.10", "fd00::a"];

        Assert.Equal(["10.0.0.10:27200"], (await LookAsync(four)).Others.Select(static one => $"{one}"));
        Assert.Equal(["[fd00::a]:27200"], (await LookAsync(six)).Others.Select(static one => $"{one}"));
        _answer = ["fd00::9"];
        await Assert.ThrowsAsync<InvalidOperationException>(() => LookAsync(four));
    }

    [Fact]
    public async Task A_name_with_very_many_addresses_is_cut()
    {
        _answer = [.. Enumerable.Range(0, 2_000).Select(static i => $"10.0.{i / 250}.{i % 250}")];

        Assert.Equal(256, (await LookAsync(Of("10.9.9.9"))).Others.Count);
    }

    [Theory]
    [InlineData("::1", "[::1]")]
    [InlineData("FD00:0::1", "[fd00::1]")]
    [InlineData("10.0.0.7", "10.0.0.7")]
    [InlineData("m.example", "m.example")]
    public void Akka_has_IPv6_in_brackets(string host, string written) => Assert.Equal(
        written,
        MemberJoin.AddressOf(new Address("akka.tcp", "router", "h", 1), new ClusterAddress(host, 27200)).Host);

    Task<IPAddress[]> INameResolver.ResolveAsync(string name, CancellationToken cancellationToken)
    {
        Assert.Equal("members.example", name);
        return Task.FromResult<IPAddress[]>([.. _answer.Select(IPAddress.Parse)]);
    }

    private static Task<MemberLook> LookAsync(DnsMembers member) => member.LookAsync(false, CancellationToken.None);

    private DnsMembers Of(string self) => new(
        new ClusterAddress("members.example", 27200), IPAddress.Parse(self), TimeSpan.FromSeconds(3), this, _time);
}

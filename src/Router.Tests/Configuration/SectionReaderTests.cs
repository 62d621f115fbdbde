namespace Router.Tests.Configuration;

public sealed class SectionReaderTests
{
    [Theory]
    [InlineData("backlog = {}", "router.listeners.l.backlog", "a whole number is wanted, not an object")]
    [InlineData("backlog = 1.5", "router.listeners.l.backlog", "'1.5' is not a whole number")]
    [InlineData("idle-timeout = [1]", "router.listeners.l.idle-timeout", "a duration is wanted, not an array")]
    [InlineData("session = 5", "router.listeners.l.session", "an object is wanted, not a number")]
    [InlineData("dual-stack = maybe", "router.listeners.l.dual-stack", "'maybe' is not a boolean")]
    [InlineData("receive-buffer = 4 KB", "router.listeners.l.receive-buffer", "KiB for 1024")]
    [InlineData("receive-buffer = 4 GiB", "router.listeners.l.receive-buffer", "at most 2 GiB")]
    [InlineData("session.dispatcher = pol", "router.listeners.l.session.dispatcher", "did you mean 'pool'?")]
    [InlineData("session.restart-window = infinite", "router.listeners.l.session.restart-window", "cannot be infinite")]
    [InlineData("backlog = null", "router.listeners.l.backlog", "must be set")]
    public void A_value_of_another_type_names_the_key_and_what_was_found(string key, string path, string words)
    {
        var faults = Loaded.Pair($"bind = \"udp://127.0.0.1:1\", {key}", "type = echo").Faults;
        Assert.Contains(faults, f => f.Path == path && f.Message.Contains(words) && f.Origin.Line == 2);
    }

    [Fact]
    public void Null_where_a_value_is_needed_is_named_at_its_own_place()
    {
        var faults = Loaded.Pair("bind = null\nbacklog = null", "type = echo").Faults;
        var nulls = faults.Where(f => f.Message == "must be set, not null").Select(f => (f.Path, f.Origin.Line));
        Assert.Equal([("router.listeners.l.bind", 2), ("router.listeners.l.backlog", 3)], nulls);
    }

    [Theory]
    [InlineData("bind = [[1]]", "element 0 is an array")]
    [InlineData("bind = []", "at least one must be given")]
    [InlineData("bind = \"127.0.0.1:1\"", "must begin with udp://, tcp://, unix://, unixpacket:// or unixgram://")]
    [InlineData("bind = \"udp://127.0.0.1\"", "must end with a port")]
    [InlineData("bind = \"udp://::1:53\"", "stands in brackets")]
    [InlineData("bind = \"udp://[127.0.0.1]:53\"", "is not an IPv6 address")]
    [InlineData("bind = \"udp://127.1:53\"", "not a numeric address")]
    [InlineData("bind = \"udp://010.0.0.1:53\"", "not a numeric address")]
    [InlineData("bind = \"udp://127.0.0.1:65536\"", "not within 0 to 65535")]
    [InlineData("backlog = 5", "must be set")]
    public void An_endpoint_that_cannot_be_bound_is_refused(string key, string words) =>
        Loaded.Refuses(Loaded.Pair(key, "type = echo"), "router.listeners.l.bind", words);

    [Theory]
    [InlineData("idle-timeout = 5", "5 has no unit and counts milliseconds; write 5ms, or 5s for seconds")]
    [InlineData("idle-timeout = \"1e3\"", "1e3 has no unit")]
    [InlineData("max-lifetime = 7", "7ms")]
    [InlineData("session.restart-window = 50", "50ms")]
    public void A_duration_without_a_unit_is_a_warning(string key, string words)
    {
        var result = Loaded.Pair($"bind = \"udp://127.0.0.1:1\", {key}", "type = echo");
        Loaded.Warns(result, $"router.listeners.l.{key.Split(' ')[0]}", words);
    }

    [Theory]
    [InlineData("5ms")]
    [InlineData("5 s")]
    [InlineData("infinite")]
    public void A_duration_with_a_unit_is_none(string duration) => Assert.Empty(Loaded.Pair(
        $"bind = \"udp://127.0.0.1:1\", max-lifetime = {duration}", "type = echo").Warnings);

    [Fact]
    public void Zero_needs_no_unit() =>
        Assert.Empty(Loaded.Result(Loaded.Echo, "router.drain-timeout=0").Warnings);

    [Fact]
    public void A_duration_without_a_unit_that_several_inherit_is_one_warning()
    {
        var warning = Assert.Single(Loaded.Result("""
            router {
              listener-defaults.idle-timeout = 5
              listeners.a { bind = "udp://127.0.0.1:1", route = e }
              listeners.b { bind = "udp://127.0.0.1:2", route = e }
              routes.e.type = echo
            }
            """).Warnings);
        Assert.Equal(2, warning.Origin.Line);
    }

    [Theory]
    [InlineData("fe80::1%nosuch", "no network interface 'nosuch'")]
    [InlineData("fe80::1%99999", "no network interface '99999'")]
    [InlineData("fe80::1%0", "no network interface '0'")]
    [InlineData("fe80::1", "as in [fe80::1%eth0]")]
    [InlineData("ff02::1", "as in [ff02::1%eth0]")]
    public void An_address_of_one_link_needs_an_interface_that_is_there(string address, string words)
    {
        Loaded.Refuses(
            Loaded.Pair($"bind = \"udp://[{address}]:53\"", "type = echo"), "router.listeners.l.bind", words);
        Loaded.Refuses(
            Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy, upstreams = \"[{address}]:53\""),
            "router.routes.r.upstreams", words);
    }

    [Theory]
    [InlineData("[fe80::1%lo]:5")]
    [InlineData("[2001:db8::1]:5")]
    [InlineData("example.org.:5")]
    public void An_upstream_may_have_a_zone_and_a_name_a_final_dot(string upstream) => Assert.Empty(
        Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy, upstreams = \"{upstream}\"").Faults);

    [Theory]
    [InlineData(".:5", "neither an address nor a host name")]
    [InlineData("example..:5", "neither an address nor a host name")]
    [InlineData("1.2.3.4.:5", "neither an address nor a host name")]
    [InlineData("10.0.0.1", "must end with a port")]
    [InlineData("10.0.0.1:0", "1 to 65535")]
    [InlineData("10.0.0.256:5", "neither an address nor a host name")]
    [InlineData("a b:5", "neither an address nor a host name")]
    [InlineData("::1:5", "stands in brackets")]
    public void An_upstream_that_cannot_be_reached_is_refused(string upstream, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy, upstreams = \"{upstream}\""),
            "router.routes.r.upstreams", words);
}

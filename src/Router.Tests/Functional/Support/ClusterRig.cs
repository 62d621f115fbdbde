using System.Globalization;
using System.Text.Json;
using Router.Tests.Cluster;

namespace Router.Tests.Functional;

/// <summary>Routers that are members of one cluster, each a process in a network of its own, at 10.9.0.1, .2 and so on.
/// They are joined by a bridge in the test's network, which is at 10.9.0.254: clients are there.</summary>
/// <remarks>A cut is between members only: clients go on reaching both sides, which is what a fence is for.</remarks>
internal sealed class ClusterRig
{
    private const int RemotingPort = 27_200;

    private readonly FunctionalTest _test;
    private readonly string _folder;
    private readonly NetworkNamespace[] _networks;
    private readonly RouterProcess?[] _members;

    private ClusterRig(FunctionalTest test, string folder, int members)
    {
        (_test, _folder) = (test, folder);
        _networks = [.. Enumerable.Range(0, members).Select(_ => test.Keep(new NetworkNamespace()))];
        _members = new RouterProcess?[members];
    }

    private string Certificates => Path.Combine(_folder, "certificates");

    /// <summary>Of the members that were ever started, by their number from 1.</summary>
    public RouterProcess this[int member] => _members[member - 1]!;

    public int Count => _members.Length;

    /// <summary>Makes the networks, and starts no member.</summary>
    public static async Task<ClusterRig> CreateAsync(FunctionalTest test, string folder, int members)
    {
        var rig = new ClusterRig(test, folder, members);
        TestCertificates.Make(
            Directory.CreateDirectory(rig.Certificates).FullName,
            [.. Enumerable.Range(1, members).Select(AddressOf)]);
        await rig.IpAsync(test.Network, "link add hub type bridge\naddr add 10.9.0.254/24 dev hub\nlink set hub up");
        for (var member = 1; member <= members; member++)
        {
            var network = rig._networks[member - 1];
            var place = await network.RunAsync(
                static () => "/proc/" + new FileInfo("/proc/thread-self").LinkTarget + "/ns/net");
            await rig.IpAsync(
                test.Network,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"link add m{member} type veth peer name eth0 netns {place}\nlink set m{member} master hub up"));
            await rig.IpAsync(network, $"addr add {AddressOf(member)}/24 dev eth0\nlink set eth0 up");
            await rig.NftAsync(
                network,
                "table ip cut { set from { type ipv4_addr; }; "
                + "chain in { type filter hook input priority 0; ip saddr @from drop; }; }");
        }

        return rig;
    }

    /// <summary>Makes the networks and starts all members, the first one first; all are up when this returns.</summary>
    /// <param name="config">What the members are to do besides being members: listeners at 0.0.0.0, routes, keys of
    /// <c>cluster</c>.</param>
    public static async Task<ClusterRig> StartAsync(FunctionalTest test, string folder, int members, string config)
    {
        var rig = await CreateAsync(test, folder, members);
        for (var member = 1; member <= members; member++)
        {
            await rig.StartAsync(member, config);
        }

        for (var member = 1; member <= members; member++)
        {
            await rig[member].RecordAsync("member-up", members - 1);
            await rig[member].RecordAsync("fence-open");
        }

        return rig;
    }

    /// <summary>Starts a member, anew if it was there before.</summary>
    public async Task<RouterProcess> StartAsync(int member, string config)
    {
        var seeds = string.Join(
            ", ", Enumerable.Range(1, Count).Select(static seed => $"\"{AddressOf(seed)}:{RemotingPort}\""));
        var file = await RouterProcess.WriteAsync(
            _folder,
            $$"""
            router.cluster {
              host = {{AddressOf(member)}}
              seeds = [{{seeds}}]
              {{TestCertificates.Section(Certificates, AddressOf(member))}}
            }
            {{config}}
            """);
        return _members[member - 1] = _test.Keep(
            await RouterProcess.StartAsync(_networks[member - 1], _folder, ["run", "--config", file]));
    }

    /// <summary>An address of all members, which <see cref="BalanceAsync"/> shares out.</summary>
    public const string SharedAddress = "10.9.1.1";

    /// <summary>Gives all members <see cref="SharedAddress"/>.</summary>
    public async Task ShareAddressAsync()
    {
        foreach (var network in _networks)
        {
            await IpAsync(network, $"addr add {SharedAddress}/32 dev lo");
        }

        await _test.Network.RunAsync(static () =>
            File.WriteAllText("/proc/sys/net/ipv4/fib_multipath_hash_policy", "1"));   // by addresses and ports
    }

    /// <summary>From now on clients reach one of these members by the shared address, each by the kernel's hash of its
    /// addresses and ports.</summary>
    public Task BalanceAsync(params int[] members) => IpAsync(
        _test.Network,
        $"route replace {SharedAddress} "
        + string.Join(' ', members.Select(static member => $"nexthop via {AddressOf(member)}")));

    /// <summary>Where clients, and other members, reach it.</summary>
    public static string AddressOf(int member) => string.Create(CultureInfo.InvariantCulture, $"10.9.0.{member}");

    /// <summary>Nothing goes between the two from now on.</summary>
    public async Task CutAsync(int one, int other)
    {
        await NftAsync(_networks[one - 1], $"add element ip cut from {{ {AddressOf(other)} }}");
        await NftAsync(_networks[other - 1], $"add element ip cut from {{ {AddressOf(one)} }}");
    }

    /// <summary>Cuts it from all others, at once on its own side.</summary>
    public Task IsolateAsync(int member) => NftAsync(_networks[member - 1], string.Join('\n', Enumerable.Range(1, Count)
        .Where(other => other != member)
        .Select(other => $"add element ip cut from {{ {AddressOf(other)} }}")));

    /// <summary>Takes back all cuts of the member's own side.</summary>
    public Task HealAsync(int member) => NftAsync(_networks[member - 1], "flush set ip cut from");

    /// <summary>SIGSTOP; it stands still when this returns.</summary>
    public Task FreezeAsync(int member)
    {
        this[member].Signal(TestLibc.SigStop);
        return Until.TrueAsync(() => this[member].Proc.IsStopped, () => $"member {member} still runs");
    }

    public void Thaw(int member) => this[member].Signal(TestLibc.SigCont);

    /// <summary>A client with one socket, whose payloads go to one member after another, as its balancer decides.
    /// </summary>
    public async Task<ClusterClient> ClientAsync(int port) =>
        await _test.Network.RunAsync(() => new ClusterClient(port));

    /// <summary>The time between two records, possibly of two members.</summary>
    public static TimeSpan Between(JsonElement from, JsonElement to) =>
        to.GetProperty("time").GetDateTimeOffset() - from.GetProperty("time").GetDateTimeOffset();

    private Task IpAsync(NetworkNamespace network, string commands) =>
        ToolAsync(network, "ip", ["-batch", "-"], commands);

    private Task NftAsync(NetworkNamespace network, string commands) =>
        ToolAsync(network, "nft", ["-f", "-"], commands);

    private async Task ToolAsync(NetworkNamespace network, string program, string[] arguments, string input)
    {
        var tool = _test.Keep(await RunningProcess.StartAsync(network, _folder, program, arguments));
        await tool.Input.WriteAsync(input + "\n");
        tool.Input.Close();
        var exit = await tool.ExitAsync();
        Assert.True(exit == 0, $"{program} ended with {exit} on\n{input}\n{tool.Output}\n{tool.Error}");
    }
}

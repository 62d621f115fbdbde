using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Cluster;
using Router.Tests.Cluster.Checkpoints;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The files hocon/examples/cluster-*.conf, started as they are, once for each member.</summary>
[Collection(MemberTests.Name)]
public sealed class ClusterExampleTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace, "env", "socat")]
    public async Task Two_members_on_one_machine_answer_a_peer_which_is_one_session_at_a_time()
    {
        var example = Repository.Read("hocon/examples/cluster-two.conf");
        var one = await MemberAsync(example);
        var two = await MemberAsync(example, "MEMBER=2");
        await AreUpAsync(one, two);

        Assert.Equal("ann one", await ToolAsync("socat", ["-t", "1", "-", "UDP4:127.0.0.1:5301"], "ann one\n"));
        Assert.Equal("ann two", await ToolAsync("socat", ["-t", "1", "-", "UDP4:127.0.0.1:5302"], "ann two\n"));
        Assert.Equal("ann three", await ToolAsync("socat", ["-t", "1", "-", "TCP4:127.0.0.1:5301"], "ann three\n"));

        foreach (var member in (RouterProcess[])[one, two])
        {
            var closed = await member.RecordAsync("session-closed");
            Assert.Equal("superseded", closed.GetProperty("reason").GetString());
        }
    }

    [RequiresToolFact(RequiredTools.Namespace, "env", "initdb", "postgres")]
    public async Task Trackers_are_counted_on_when_their_member_has_died()
    {
        var server = new PostgresServer();
        try
        {
            await server.StartAsync();
            var example = Repository.Read("hocon/examples/cluster-tracker.conf");
            var members = new List<RouterProcess>();
            for (var member = 1; member <= 3; member++)
            {
                members.Add(await MemberAsync(
                    example, $"MEMBER=127.0.0.{member}", $"DATABASE={server.Connection()}"));
            }

            await AreUpAsync([.. members]);
            using var here = await TrackerAsync("127.0.0.1");
            using var there = await TrackerAsync("127.0.0.2");
            Assert.Equal("1", await ReportAsync(here));
            Assert.Equal("2", await ReportAsync(here));

            members[0].Signal(TestLibc.SigKill);
            Assert.Equal("3", await ReportAsync(there));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>With the name that every machine has, which is a cluster of one.</summary>
    [RequiresToolFact(RequiredTools.Namespace, "env")]
    public async Task A_member_that_is_found_by_its_name_and_has_a_certificate_begins_the_cluster()
    {
        TestCertificates.Make(Folder, "127.0.0.1");

        var member = await MemberAsync(
            Repository.Read("hocon/examples/cluster-dns.conf"), "MEMBERS=localhost:27200", $"CERTIFICATES={Folder}");

        await AreUpAsync(member);
        using var peer = await Network.RunAsync(() => Client.Udp(5320));
        Assert.Equal("hello"u8, Client.Exchange(peer, "hello"u8));
    }

    private static async Task AreUpAsync(params RouterProcess[] members)
    {
        foreach (var member in members)
        {
            await member.RecordAsync("member-up", members.Length - 1);
            await member.RecordAsync("fence-open");
        }
    }

    private async Task<RouterProcess> MemberAsync(string example, params string[] environment)
    {
        var file = await RouterProcess.WriteAsync(Folder, example);
        var member = await CommandAsync(["run", "--config", file], surroundings: ["env", .. environment]);
        await member.RecordAsync("listening");
        return member;
    }

    private Task<Socket> TrackerAsync(string member) => Network.RunAsync(() =>
    {
        var tracker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        tracker.Connect(IPAddress.Parse(member), 5310);
        return tracker;
    });

    /// <summary>Reports once; what arrives while another member takes over waits there.</summary>
    private static async Task<string> ReportAsync(Socket tracker)
    {
        var answer = new byte[100];
        tracker.Send("dev-0042 52.1,4.3"u8);
        await Until.TrueAsync(() => tracker.Available > 0, static () => "the answer to a report");
        return Encoding.ASCII.GetString(answer, 0, tracker.Receive(answer));
    }
}

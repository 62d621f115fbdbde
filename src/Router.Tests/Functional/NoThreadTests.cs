using System.Globalization;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The system has no process and no thread left: what runs goes on.</summary>
public sealed class NoThreadTests(ITestOutputHelper output) : FunctionalTest(output)
{
    /// <summary>Its own process ids, 600 of them, which are given from 300 on once all were. The first process waits
    /// for those that nobody else waits for, as an init does.</summary>
    private static readonly string[] FewProcesses =
    [
        "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
        "sh", "-c", "echo 600 > /proc/sys/kernel/pid_max && \"$@\" & wait", "sh",
    ];

    /// <summary>The pool's threads would end after a tenth of a second without work, and be wanted again. The
    /// compiler's thread stays, as docs/errors.md says.</summary>
    private static readonly string[] ImpatientPool =
        ["env", "DOTNET_ThreadPool_ThreadTimeoutMs=100", "DOTNET_TC_BackgroundWorkerTimeoutMs=ffffffff"];

    private const string Config = """
        router {
          loops = 1
          log.stats-interval = 1s
          listeners {
            echo { bind = ["udp://127.0.0.1:5300", "tcp://127.0.0.1:5300"], route = echo }
            bomb { bind = "tcp://127.0.0.1:5301", route = bomb }
            child { bind = "tcp://127.0.0.1:5302", route = child }
          }
          routes {
            echo { type = echo }
            bomb {
              type = exec
              command = ["/bin/sh", "-c", "(while sleep 1000 & do :; done) 2>&-; echo full; read line"]
            }
            child { type = exec, command = ["/bin/cat"] }
          }
        }
        """;

    [RequiresToolFact(RequiredTools.Namespace, "unshare")]
    public async Task A_child_that_takes_all_processes_ends_nobody()
    {
        var router = await StartAsync(Config, [.. ImpatientPool, .. FewProcesses]);
        var process = RouterOf(router);
        var clients = await ManyAsync(1, static _ => Client.Tcp(5301));
        await Until.TrueAsync(() => clients[0].Available > 0, () => "the bomb goes on");   // until all places are taken
        for (var round = 0; round < 5; round++)
        {
            await Until.TrueAsync(
                () =>
                {
                    clients.AddRange(ManyAsync(1, static _ => Client.Tcp(5302)).Result);   // takes a place that is left
                    return router.RecordsOf("child-not-started").Count > round;
                },
                () => "a child can still be started");
            _ = TestLibc.Kill(process, TestLibc.SigHup);
            await router.RecordAsync("reloaded", round);
            await Network.RunAsync(static () => Client.AnswerTime(static () => Client.Udp(5300)));
            await Network.RunAsync(static () => Client.AnswerTime(static () => Client.Tcp(5300)));
        }

        Assert.All(
            router.RecordsOf("child-not-started"),
            static record => Assert.Contains("EAGAIN", record.GetProperty("error").GetString()!));
        clients.ForEach(static client => client.Dispose());   // their groups are ended
        await Until.TrueAsync(
            () => Network.RunAsync(static () => HaveAnswers(5302, count: 20)).Result,
            () => "no children can be started again");
        _ = TestLibc.Kill(process, TestLibc.SigTerm);
        await router.RecordAsync("stopped");
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_start_that_cannot_have_its_threads_says_so()
    {
        var config = await RouterProcess.WriteAsync(Folder, Config);
        var router = await CommandAsync(
            ["run", "--config", config, "--set", "router.pool-threads=900"], surroundings: FewProcesses);

        await router.ExitAsync();

        Assert.Contains("the process cannot have 900 threads more", router.Error.ToString(), StringComparison.Ordinal);
        Assert.Empty(router.RecordsOf("listening"));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_childs_limit_refuses_it_processes_and_not_the_router()
    {
        const string Limited = """
            router {
              loops = 1
              listeners.a { bind = "tcp://127.0.0.1:5301", route = b }
              routes.b { type = exec, command = ["/bin/sh", "-c", "read line; sleep 1000 & echo started"],
                limits.user-processes = 1 }
            }
            """;
        string[] user = ["--reuid", "64123", "--clear-groups"];   // root has no such limit
        var config = await RouterProcess.WriteAsync(Folder, Limited);
        await ToolAsync("chmod", ["a+rx", Folder]);
        var router = await CommandAsync(["run", "--config", config, "--set", "router.log.level=debug"], user);
        await router.RecordAsync("listening");

        for (var child = 0; child < 2; child++)
        {
            using var client = await Network.RunAsync(static () => Client.Tcp(5301));
            await router.RecordAsync("child-started", child);   // its limits are in place
            client.Send("go\n"u8);
            Assert.Contains(
                "fork", (await router.RecordAsync("child-stderr", child)).GetProperty("text").GetString()!,
                StringComparison.OrdinalIgnoreCase);
        }
    }

    /// <summary>The child of the first process in the namespace, which is unshare(1)'s child. To be asked before there
    /// are others.</summary>
    private static int RouterOf(RouterProcess unshare) => OnlyChild(OnlyChild(unshare.Id));

    private static int OnlyChild(int process)
    {
        var children = File.ReadAllText($"/proc/{process}/task/{process}/children");
        return int.Parse(children, CultureInfo.InvariantCulture);
    }

    /// <summary>Whether so many children at once answer.</summary>
    private static bool HaveAnswers(int port, int count)
    {
        var clients = Enumerable.Range(0, count).Select(_ => Client.Tcp(port)).ToList();
        try
        {
            clients.ForEach(static client => client.Send("?"u8));
            return clients.TrueForAll(static client => client.Receive(new byte[1]) == 1);
        }
        catch (SocketException)
        {
            return false;
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    private async Task<RouterProcess> StartAsync(string text, IEnumerable<string> surroundings)
    {
        var config = await RouterProcess.WriteAsync(Folder, text);
        var router = await CommandAsync(["run", "--config", config], surroundings: surroundings);
        for (var listening = 0; listening < 4; listening++)
        {
            await router.RecordAsync("listening", listening);
        }

        return router;
    }
}

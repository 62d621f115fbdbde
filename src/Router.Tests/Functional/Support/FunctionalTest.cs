using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Functional tests run alone: they measure, and two cores are soon busy.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FunctionalTests
{
    public const string Name = "functional";
}

/// <summary>Programs that are asked what they answer, and not how soon: they run beside the tests that start no
/// process.</summary>
[CollectionDefinition(Name)]
public sealed class ProgramTests
{
    public const string Name = "programs";
}

/// <summary>Members of a cluster, as processes: they wait for each other most of the time, and run beside the tests
/// that start no process.</summary>
[CollectionDefinition(Name)]
public sealed class MemberTests
{
    public const string Name = "members";
}

/// <summary>
/// Base of tests that run the shipped program: a network and a folder of the test's own, and an end to all it started.
/// </summary>
[Collection(FunctionalTests.Name)]
public abstract class FunctionalTest(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromMilliseconds(10);

    private readonly List<RunningProcess> _started = [];
    private readonly List<NetworkNamespace> _networks = [];
    private NetworkNamespace? _network;
    private DirectoryInfo? _folder;

    /// <summary>Made when first used, so that a test that cannot have one says so by failing.</summary>
    internal NetworkNamespace Network => _network ??= new NetworkNamespace();

    protected string Folder => (_folder ??= Directory.CreateTempSubdirectory("router-test-")).FullName;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_started))
        {
            await process.DisposeAsync();
            Show(process);
        }

        _networks.ForEach(static network => network.Dispose());
        _network?.Dispose();
        _folder?.Delete(recursive: true);
    }

    /// <summary>Runs the router until the test ends. It listens when this returns.</summary>
    internal async Task<RouterProcess> RouterAsync(string? config, params string[] more) =>
        Keep(await RouterProcess.RunAsync(Network, Folder, config, more));

    /// <summary>Starts the router with any arguments.</summary>
    /// <param name="privileges">Options of setpriv(1).</param>
    /// <param name="surroundings">See <see cref="Surroundings"/>.</param>
    internal async Task<RouterProcess> CommandAsync(
        IEnumerable<string> arguments,
        IEnumerable<string>? privileges = null,
        IEnumerable<string>? surroundings = null) =>
        Keep(await RouterProcess.StartAsync(Network, Folder, arguments, privileges, surroundings));

    /// <summary>Starts a program, which ends with the test at the latest.</summary>
    internal async Task<RunningProcess> ProgramAsync(string program, params string[] arguments) =>
        Keep(await RunningProcess.StartAsync(Network, Folder, program, arguments));

    /// <summary>Starts a server and waits until it has the port.</summary>
    internal async Task<RunningProcess> ServerAsync(
        string transport, int port, string program, params string[] arguments)
    {
        var server = await ProgramAsync(program, arguments);
        await Until.TrueAsync(
            () => server.HasExited || server.Proc.IsBound(transport, port),
            () => $"{program} on {transport} port {port}\n{server.Output}\n{server.Error}");
        Assert.False(server.HasExited, $"{program} ended:\n{server.Output}\n{server.Error}");
        return server;
    }

    /// <summary>Runs a program to its end and expects exit code 0.</summary>
    /// <param name="input">What it reads.</param>
    /// <returns>What it wrote to its standard output.</returns>
    internal async Task<string> ToolAsync(string program, IEnumerable<string> arguments, string? input = null)
    {
        var tool = await ProgramAsync(program, [.. arguments]);
        if (input is not null)
        {
            await tool.Input.WriteAsync(input);
        }

        tool.Input.Close();
        var exit = await tool.ExitAsync();
        Assert.True(exit == 0, $"{program} ended with {exit}:\n{tool.Output}\n{tool.Error}");
        return tool.Output.ToString();
    }

    /// <summary>Makes sockets in the test's network.</summary>
    internal Task<List<Socket>> ManyAsync(int count, Func<int, Socket> connect) =>
        Network.RunAsync(() => Enumerable.Range(0, count).Select(connect).ToList());

    /// <summary>A fresh client gets its echo within 10 ms: see <see cref="Client.AnswerTime"/>.</summary>
    internal async Task AssertAnswersAsync(Func<Socket> connect) =>
        Assert.InRange(await Network.RunAsync(() => Client.AnswerTime(connect)), TimeSpan.Zero, AnswerTimeMax);

    /// <summary>Open descriptors come back to what they were, or two more. Fewer are no leak: at the start some may
    /// be open for a moment.</summary>
    internal static Task AssertDescriptorsAsync(RouterProcess router, int start) => Until.TrueAsync(
        () => router.Proc.DescriptorsHeld <= start + 2,
        () => $"{router.Proc.DescriptorsHeld} descriptors, {start} at the start");

    /// <summary>Lowers the router's limit of descriptors while it runs.</summary>
    internal static void LimitDescriptors(RouterProcess router, int limit)
    {
        var both = new TestLibc.Limit { Soft = (ulong)limit, Hard = (ulong)limit };
        if (TestLibc.SetLimit(router.Id, TestLibc.ResourceDescriptors, in both, out _) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    internal T Keep<T>(T process)
        where T : RunningProcess
    {
        lock (_started)   // several may be started at once
        {
            _started.Add(process);
        }

        return process;
    }

    /// <summary>A network besides <see cref="Network"/>.</summary>
    internal NetworkNamespace Keep(NetworkNamespace network)
    {
        _networks.Add(network);
        return network;
    }

    private void Show(RunningProcess process)
    {
        const int LinesMax = 40;
        var lines = process.Output.Lines.Concat(process.Error.Lines).ToList();
        output.WriteLine($"process {process.Id}, {lines.Count} lines:");
        foreach (var line in lines.TakeLast(LinesMax))
        {
            output.WriteLine("  " + line);
        }
    }
}

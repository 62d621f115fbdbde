using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit.Sdk;

namespace Router.Tests.Functional;

/// <summary>The shipped program, as built beside the tests, and what it logs.</summary>
internal sealed partial class RouterProcess : RunningProcess
{
    private RouterProcess(Process process)
        : base(process)
    {
    }

    /// <summary>The program that the host runs.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "Router.dll");

    /// <summary>Log records so far, oldest first.</summary>
    public IReadOnlyList<JsonElement> Records => [.. Output.Lines.Where(IsRecord).Select(Parse)];

    /// <summary>Starts <c>router run</c> and waits until it listens.</summary>
    /// <param name="config">HOCON; null for the built-in configuration.</param>
    /// <param name="more">Further arguments, such as --set and its value.</param>
    public static async Task<RouterProcess> RunAsync(
        NetworkNamespace network, string folder, string? config, params string[] more)
    {
        const int BuiltInAddresses = 3;
        string[] file = config is null ? [] : ["--config", await WriteAsync(folder, config)];
        var router = await StartAsync(network, folder, ["run", .. file, .. more]);
        var addresses = config is null ? BuiltInAddresses : Schemes().Count(config);
        try
        {
            for (var index = 0; index < addresses; index++)
            {
                await router.RecordAsync("listening", index);
            }
        }
        catch (XunitException e)
        {
            await router.DisposeAsync();
            throw new XunitException($"{e.Message}\n{router.Error}", e);
        }

        return router;
    }

    /// <summary>Starts the program with any arguments; waits for nothing.</summary>
    /// <param name="privileges">Options of setpriv(1).</param>
    /// <param name="surroundings">A command that executes the program: <see cref="Surroundings"/>.</param>
    public static async Task<RouterProcess> StartAsync(
        NetworkNamespace network,
        string folder,
        IEnumerable<string> arguments,
        IEnumerable<string>? privileges = null,
        IEnumerable<string>? surroundings = null)
    {
        string[] command = [.. surroundings ?? [], DotnetPath(), Program, .. arguments];
        return new RouterProcess(await LaunchAsync(network, folder, command, privileges));
    }

    /// <summary>Writes a configuration file of its own name.</summary>
    public static async Task<string> WriteAsync(string folder, string config)
    {
        var path = Path.Combine(folder, Path.ChangeExtension(Path.GetRandomFileName(), ".conf"));
        await File.WriteAllTextAsync(path, config);
        return path;
    }

    /// <summary>The record of the event, the first one or a later one; waits for it.</summary>
    public async Task<JsonElement> RecordAsync(string name, int index = 0, TimeSpan? within = null)
    {
        var seen = 0;
        return Parse(await Output.WaitAsync(
            line => IsRecord(line) && NameOf(line) == name && seen++ == index, within));
    }

    /// <summary>Records of one event so far.</summary>
    public IReadOnlyList<JsonElement> RecordsOf(string name) =>
        [.. Records.Where(record => record.GetProperty("event").GetString() == name)];

    private static bool IsRecord(string line) => line.StartsWith('{');

    private static string? NameOf(string line) => Parse(line).GetProperty("event").GetString();

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    /// <summary>The host that runs these tests runs the router too.</summary>
    public static string DotnetPath()
    {
        const string Host = "dotnet";
        return Path.GetFileName(Environment.ProcessPath) == Host
            ? Environment.ProcessPath!
            : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Host;
    }

    [GeneratedRegex("(udp|tcp)://", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Schemes();
}

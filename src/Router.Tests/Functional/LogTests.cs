using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>The shipped program's log reaches its reader whole.</summary>
[Collection(ProgramTests.Name)]
public sealed class LogTests(ITestOutputHelper output) : FunctionalTest(output)
{
    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Akkas_own_log_is_lines_of_this_one_as_far_as_the_file_asks_for_it()
    {
        var router = await RouterAsync(
            """
            akka.loglevel = DEBUG
            router {
              log.level = debug
              listeners.echo { bind = "udp://127.0.0.1:47002", route = echo }
              routes.echo { type = echo }
            }
            """);

        router.Signal(TestLibc.SigTerm);

        Assert.Equal(0, await router.ExitAsync());
        Assert.NotEmpty(router.RecordsOf("actor-log"));
        Assert.All(router.Output.Lines, static line => Assert.StartsWith("{", line, StringComparison.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_was_logged_before_the_end_is_written_also_when_its_reader_is_late()
    {
        const int Clients = 500;   // more records than a pipe holds, fewer than the log's queue
        const int Port = 47001;
        var pipe = Path.Combine(Folder, "log");
        Assert.Equal(0, await (await ProgramAsync("mkfifo", pipe)).ExitAsync());
        var file = await RouterProcess.WriteAsync(
            Folder,
            """
            router {
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo }
              routes.echo { type = echo }
            }
            """);
        var command = $"exec {RouterProcess.DotnetPath()} {RouterProcess.Program} run --config {file} > {pipe}";
        var router = await ProgramAsync("sh", "-c", command);
        await using var reader = await Task.Run(() => File.OpenRead(pipe));
        await Until.TrueAsync(() => router.Proc.IsBound("udp", Port), () => "the listener's port");
        var clients = await ManyAsync(Clients, static _ => Client.Udp(Port));
        await Network.RunAsync(() => clients.ForEach(client => Client.Exchange(client, "hello"u8)));

        router.Signal(TestLibc.SigTerm);
        await Until.PassedAsync(TimeSpan.FromSeconds(2));   // the console's own patience is 1.5 s
        using var text = new StreamReader(reader);
        var lines = (await text.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(0, await router.ExitAsync());
        Assert.Equal(Clients, lines.Count(static line => line.Contains("session-closed", StringComparison.Ordinal)));
        Assert.Contains("\"stopped\"", lines[^1], StringComparison.Ordinal);
    }
}

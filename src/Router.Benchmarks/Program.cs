using System.Globalization;
using Router.Benchmarks;
using Router.Cluster.Checkpoints;

// checkpoints memory|sqlite|postgres IDENTITIES SECONDS [FILE | CONNECTION SERVER-PID]
if (args is not ["checkpoints", var kind, var identities, var seconds, ..])
{
    Console.Error.WriteLine("checkpoints memory|sqlite|postgres IDENTITIES SECONDS [FILE | CONNECTION SERVER-PID]");
    return 64;
}

await using ICheckpointStore store = kind switch
{
    "postgres" => new PostgresCheckpoints(args[4], "checkpoints"),
    "sqlite" => new SqliteCheckpoints(args[4]),
    _ => new MemoryCheckpoints(),
};
await new CheckpointBench(
    kind,
    store,
    int.Parse(identities, CultureInfo.InvariantCulture),
    TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)),
    kind == "postgres" ? int.Parse(args[5], CultureInfo.InvariantCulture) : null,
    Console.Out).RunAsync();
return 0;

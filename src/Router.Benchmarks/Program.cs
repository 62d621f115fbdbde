using System.Globalization;
using Router.Benchmarks;
using Router.Cluster.Checkpoints;

switch (args)
{
    // checkpoints memory|sqlite|postgres IDENTITIES SECONDS [FILE | CONNECTION SERVER-PID]
    case ["checkpoints", var kind, var rows, var seconds, ..]:
        await using (ICheckpointStore store = kind switch
        {
            "postgres" => new PostgresCheckpoints(args[4], "checkpoints"),
            "sqlite" => new SqliteCheckpoints(args[4]),
            _ => new MemoryCheckpoints(),
        })
        {
            await new CheckpointBench(
                kind,
                store,
                int.Parse(rows, CultureInfo.InvariantCulture),
                TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)),
                kind == "postgres" ? int.Parse(args[5], CultureInfo.InvariantCulture) : null,
                Console.Out).RunAsync();
        }

        return 0;
    case ["identities", var members, var identities]:
        await new IdentityBench(
            int.Parse(members, CultureInfo.InvariantCulture),
            int.Parse(identities, CultureInfo.InvariantCulture),
            Console.Out).RunAsync();
        return 0;
    case ["tracker-backend", var host, var folder, .. var seeds]:
        await new TrackerBackend(host, folder, seeds).RunAsync(Console.In, Console.Out);
        return 0;
    case ["log", var folder, var records]:
        new LogBench(folder, int.Parse(records, CultureInfo.InvariantCulture), Console.Out).Run();
        return 0;
    default:
        Console.Error.WriteLine(
            "checkpoints memory|sqlite|postgres IDENTITIES SECONDS [FILE | CONNECTION SERVER-PID]\n"
            + "identities MEMBERS IDENTITIES\n"
            + "tracker-backend HOST CERTIFICATES-FOLDER SEED...\n"
            + "log FOLDER RECORDS");
        return 64;
}

using System.Globalization;

namespace Router.Tests.Cluster.Simulation;

/// <summary>Sessions, epochs and attachments in whole clusters, by seeds: members pause, die, are cut off and come
/// back, messages are lost, peers move, the store is slow and away.</summary>
/// <remarks>More by hand: <c>SIMULATION_SEEDS=10000 dotnet test --filter ClusterSimulation</c>, from the seed
/// <c>SIMULATION_FIRST</c>. A seed that fails is printed with its history.</remarks>
public sealed class ClusterSimulationTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private const int SeedsOfCi = 200;

    private static readonly int Lines = Number("SIMULATION_LINES", 200);

    [Fact]
    public void Whatever_happens_one_session_speaks_for_an_identity_and_what_it_was_promised_is_kept()
    {
        var first = Number("SIMULATION_FIRST", 1);
        var seeds = Number("SIMULATION_SEEDS", SeedsOfCi);
        var (attachments, events, failures) = (0L, 0L, new List<string>());
        var started = TimeProvider.System.GetTimestamp();
        var threads = new ParallelOptions { MaxDegreeOfParallelism = seeds > SeedsOfCi ? 2 : 1 };
        Parallel.For(first, first + seeds, threads, seed =>
        {
            var cluster = new SimCluster(seed);
            if (FailureOf(cluster) is { } failure)
            {
                lock (failures)
                {
                    failures.Add(failure);
                }
            }

            Interlocked.Add(ref attachments, cluster.History.Attachments);
            Interlocked.Add(ref events, cluster.Clock.Events);
        });
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds} seeds, {seeds / seconds:0} seeds/s, {attachments} attachments, {events} events"));
        foreach (var failure in failures.Order(StringComparer.Ordinal).Take(60))
        {
            output.WriteLine(failure);
        }

        if (failures.Count > 0)
        {
            Assert.Fail($"{failures.Count} of {seeds} seeds fail: {failures[0]}{HistoryOf(failures[0])}");
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            Assert.Equal(LinesOf(seed, Planted.None), LinesOf(seed, Planted.None));
        }
    }

    [Theory]
    [MemberData(nameof(AllPlanted))]
    public void A_planted_fault_is_found_within_fifty_seeds(string name)
    {
        var planted = Enum.Parse<Planted>(name);
        for (var seed = 1; seed <= 50; seed++)
        {
            if (FailureOf(new SimCluster(seed, planted)) is { } failure)
            {
                output.WriteLine($"{name}: found by {failure}");
                return;
            }
        }

        Assert.Fail($"{name} is not found");
    }

    public static TheoryData<string> AllPlanted() =>
        new(Enum.GetNames<Planted>().Where(static name => name != nameof(Planted.None)));

    private static string? FailureOf(SimCluster cluster)
    {
        try
        {
            cluster.Run();
            return null;
        }
        catch (SimViolation violation)
        {
            return violation.Message;
        }
        catch (Exception failure)
        {
            return $"{cluster.Plan}: {failure}";
        }
    }

    private static List<string> LinesOf(int seed, Planted planted)
    {
        var cluster = new SimCluster(seed, planted, isLogged: true);
        _ = FailureOf(cluster);
        return [.. cluster.History.Lines];
    }

    private static string HistoryOf(string failure)
    {
        var seed = int.Parse(failure.AsSpan(5, failure.IndexOf(':', StringComparison.Ordinal) - 5),
            CultureInfo.InvariantCulture);
        return Environment.NewLine + string.Join(Environment.NewLine, LinesOf(seed, Planted.None).TakeLast(Lines));
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}

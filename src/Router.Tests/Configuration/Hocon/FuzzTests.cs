using System.Globalization;
using Router.Configuration.Hocon;
using Xunit.Abstractions;

namespace Router.Tests.Configuration.Hocon;

/// <summary>
/// Random texts end in a value or a refusal with a place, and soon. <c>fuzz/hocon.sh</c> runs this for as long as one
/// likes; here it is a short run from a fixed seed.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int ShortRun = 4_000;
    private const int TextsPerInclude = 50;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_text_of_the_grammar_is_a_value_or_a_refusal_with_a_place()
    {
        var seconds = Setting("ROUTER_FUZZ_SECONDS");
        var seed = Setting("ROUTER_FUZZ_SEED") ?? 20_260;

        // A busy machine may take its time in the short run; hangs are what the long one looks for.
        var longest = TimeSpan.FromSeconds(seconds is null ? 30 : 1);
        var start = TimeProvider.System.GetTimestamp();
        var (count, accepted, slowest) = (0, 0, TimeSpan.Zero);
        string[] includes = [];
        while (seconds is { } limit ? Since(start) < TimeSpan.FromSeconds(limit) : count < ShortRun)
        {
            var random = new Random(unchecked(seed + count));
            if (count % TextsPerInclude == 0)
            {
                includes = Includes(random, includes);
            }

            var text = new HoconGrammar(random, includes).Next();
            var began = TimeProvider.System.GetTimestamp();
            accepted += IsAccepted(text, seed + count) ? 1 : 0;
            slowest = Since(began) > slowest ? Since(began) : slowest;
            Assert.True(slowest < longest, $"seed {seed + count} took {slowest}:\n{text}");
            count++;
        }

        output.WriteLine($"seed {seed}: {count} texts, {accepted} accepted, 0 crashes, slowest {slowest}");
        Assert.InRange(accepted, count / 20, count);
    }

    private static TimeSpan Since(long start) => TimeProvider.System.GetElapsedTime(start);

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    /// <summary>Files that include each other, as it comes.</summary>
    private string[] Includes(Random random, string[] before)
    {
        var grammar = new HoconGrammar(random, before);
        return [.. Enumerable.Range(0, 3).Select(i => _folder.Write($"f{i}.conf", grammar.Next()))];
    }

    private static bool IsAccepted(string text, int seed)
    {
        try
        {
            var config = Config.Parse(text, n => n is "e f" ? "env" : null, "fuzz.conf");
            var printed = config.ToString();
            Assert.Equal(printed, Config.Parse(printed, _ => null, "printed.conf").ToString());
            return true;
        }
        catch (HoconException e)
        {
            Assert.True(e.Origin is { Line: > 0, Column: > 0 }, $"seed {seed}: no place: {e.Message}\n{text}");
            return false;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"seed {seed}:\n{text}", e);
        }
    }
}

using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using Router.CommandLine;
using Router.Configuration.Hocon;
using CheckConfig = FsCheck.Config;

namespace Router.Tests.Configuration.Hocon;

/// <summary>What is printed reads back as the same; seeds are fixed, a failure names the tree it shrank to.</summary>
public sealed class RoundTripTests
{
    private const int Trees = 400;

    private static readonly HoconOrigin Nowhere = new("(tree)", 1, 1);

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Elements("", " ", "a", "a b", "true", "null", "1e3", "${x}", "\"", "\\", "\n\t\u0001", "#", "//", "include",
            "\u00e4\u2028\ud83d\ude00", "{}", "=", "+=", "a.b", "\ufeff", "\"\"\"", "-1"),
        Gen.Elements("abcxyz0189.-_/ \"\\$\u00e9\u4e00".ToCharArray()).ArrayOf().Select(c => new string(c)));

    private static readonly Gen<HoconValue> Scalars = Gen.OneOf(
        Texts.Select(t => Scalar(HoconType.String, t)),
        Gen.Elements("0", "-1", "1.50", "1e3", "12345678901234567890", "-0.5E-7")
            .Select(t => Scalar(HoconType.Number, t)),
        Gen.Elements("true", "false").Select(t => Scalar(HoconType.Boolean, t)),
        Gen.Constant(Scalar(HoconType.Null, "null")));

    private static readonly Gen<HoconObject> Roots = Gen.Sized(size => Objects(Math.Min(size / 8, 4)));

    [Fact]
    public void JSON_reads_back_as_the_same() => Holds(1, Roots, tree =>
        Same(tree, HoconJson.Print(tree)) && Same(tree, HoconJson.Print(tree, indented: false)));

    [Fact]
    public void HOCON_reads_back_as_the_same() => Holds(2, Roots, tree =>
    {
        using var text = new StringWriter();
        HoconText.Write(text, tree);
        return Same(tree, text.ToString());
    });

    [Fact]
    public void One_text_behind_another_is_the_same_as_one_over_the_other() => Holds(3, Roots.Two(), pair =>
    {
        var (lower, upper) = pair;
        var together = HoconAssert.Parse($"{Fields(lower)}\n{Fields(upper)}");
        return together.Root.ToString() == new Config(upper)
            .WithFallback(new Config(lower)).Root.ToString();
    });

    [Fact]
    public void A_substitution_of_a_whole_tree_is_that_tree() => Holds(4, Roots, tree =>
    {
        var config = HoconAssert.Parse($"copy = ${{tree}}\ntree {HoconJson.Print(tree)}");
        return config.GetValue("copy")!.ToString() == tree.ToString();
    });

    private static void Holds<T>(ulong seed, Gen<T> trees, Func<T, bool> property) => Check.One(
        CheckConfig.QuickThrowOnFailure.WithMaxTest(Trees)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed, 1), FSharpOption<int>.None))),
        Prop.ForAll(trees.ToArbitrary(), property));

    private static bool Same(HoconObject tree, string text) =>
        HoconAssert.Parse(text).Root.ToString() == tree.ToString();

    private static string Fields(HoconObject tree) => HoconJson.Print(tree)[1..^1];

    private static HoconValue Scalar(HoconType type, string text) => new HoconScalar(type, text, Nowhere);

    private static Gen<HoconObject> Objects(int depth) =>
        Texts.Zip(Values(depth)).ListOf().Select(fields => new HoconObject(
            [.. fields.DistinctBy(f => f.Item1).Select(f => new HoconField(f.Item1, f.Item2, Nowhere))], Nowhere));

    private static Gen<HoconValue> Values(int depth) => depth == 0 ? Scalars : Gen.Frequency(
        (3, Scalars),
        (1, Gen.Sized(size => Objects(depth - 1).Resize(size / 2)).Select(HoconValue (o) => o)),
        (1, Gen.Sized(size => Values(depth - 1).ListOf().Resize(size / 2))
            .Select(HoconValue (e) => new HoconArray([.. e], Nowhere))));
}

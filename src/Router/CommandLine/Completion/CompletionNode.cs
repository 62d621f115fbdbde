using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;

namespace Router.CommandLine.Completion;

/// <summary>A command, with what may follow it.</summary>
/// <param name="Path">The command and those that it is in: <c>router config show</c>.</param>
/// <param name="Commands">Those in it.</param>
/// <param name="Options">All of it.</param>
/// <param name="Words">Values of its arguments, where they are of a few.</param>
/// <param name="TakesFile">An argument of it is a file.</param>
internal sealed record CompletionNode(
    string Path, IReadOnlyList<CompletionWord> Commands, IReadOnlyList<CompletionOption> Options,
    IReadOnlyList<string> Words, bool TakesFile)
{
    private const string FileName = "FILE";

    /// <summary>The command and all in it.</summary>
    public static IReadOnlyList<CompletionNode> AllOf(Command command, string path) =>
    [
        new(
            path,
            [.. command.Subcommands.Select(static inner => new CompletionWord(inner.Name, MeaningOf(inner)))],
            [.. command.Options.Where(static option => option is not HelpOption).Select(OptionOf), Help],
            [.. command.Arguments.SelectMany(WordsOf)],
            command.Arguments.Any(static argument => argument.Name == FileName)),
        .. command.Subcommands.SelectMany(inner => AllOf(inner, $"{path} {inner.Name}")),
    ];

    private static CompletionOption Help { get; } =
        new("--help", "Says more.", TakesValue: false, TakesFile: false, []);

    private static CompletionOption OptionOf(Option option) => new(
        option.Name, MeaningOf(option),
        option is not (HelpOption or VersionOption) && option.ValueType != typeof(bool),
        option.HelpName == FileName, option.ValueType == typeof(bool) ? [] : WordsOf(option));

    private static IReadOnlyList<string> WordsOf(Symbol symbol) =>
        [.. symbol.GetCompletions(CompletionContext.Empty).Select(static item => item.Label)];

    /// <summary>The first sentence, or the first clause of a long one.</summary>
    private static string MeaningOf(Symbol symbol) =>
        string.Concat((symbol.Description ?? "").TakeWhile(static c => c is not ('.' or ';' or ':')));
}

/// <param name="Meaning">A line.</param>
internal sealed record CompletionWord(string Word, string Meaning);

/// <param name="Name">With its dashes.</param>
/// <param name="Words">Its values, where they are of a few.</param>
internal sealed record CompletionOption(
    string Name, string Meaning, bool TakesValue, bool TakesFile, IReadOnlyList<string> Words);

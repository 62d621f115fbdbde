using System.CommandLine;
using System.CommandLine.Help;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.CommandLine;

/// <summary>What is wrong with a command line, what was probably meant, and how the command is used.</summary>
internal static class CommandUsage
{
    public static void WriteFaults(TextWriter error, ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;

        // What follows a word that is not known is seldom wrong by itself.
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            error.WriteLine(Unknown(command, word));
        }
        else
        {
            foreach (var fault in parsed.Errors)
            {
                error.WriteLine(LineText.Escape(fault.Message));
            }
        }

        error.WriteLine($"usage: {UsageOf(command)}");
        error.WriteLine($"{PathOf(command)} --help says more");
    }

    public static string Unknown(Command command, string word)
    {
        var kind = word.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        return $"'{LineText.Escape(word)}' is no {kind} of {PathOf(command)}{HintOf(command, word)}";
    }

    /// <summary>An option of one letter probably means the long one that begins with it.</summary>
    private static string HintOf(Command command, string word)
    {
        var names = command.Options.Select(static option => option.Name)
            .Concat(command.Subcommands.Select(static inner => inner.Name))
            .Append("--help")
            .ToList();
        var isLetter = word is ['-', not '-'];
        return isLetter && names.Find(each => each.StartsWith($"-{word}", StringComparison.Ordinal)) is { } name
            ? $"; did you mean '{name}'?"
            : Nearest.Hint(word, names);
    }

    private static string UsageOf(Command command)
    {
        var options = command.Options
            .Where(static option => option is not (HelpOption or VersionOption))
            .Select(static option =>
                $"[{option.Name}{(option.HelpName is { } value ? $" {value}" : "")}]"
                + (option.Arity.MaximumNumberOfValues > 1 ? "..." : ""));
        var arguments = command.Arguments.Select(static argument => $"[{argument.Name}]");
        var commands = string.Join(" | ", command.Subcommands.Select(static inner => inner.Name));
        return string.Join(' ', [PathOf(command), .. options, .. arguments, commands]).TrimEnd();
    }

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } outer ? $"{PathOf(outer)} {command.Name}" : "router";
}

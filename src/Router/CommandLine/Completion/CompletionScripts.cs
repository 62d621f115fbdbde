using System.Text;

namespace Router.CommandLine.Completion;

/// <summary>Scripts by which shells complete the command line. All words are in them, so that a shell asks nobody.
/// </summary>
internal static class CompletionScripts
{
    private const string BashFiles = "compopt -o filenames; _router_add -f", ZshFiles = "_files";

    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    /// <param name="shell">One of <see cref="Shells"/>.</param>
    /// <param name="nodes">All commands, the outermost first.</param>
    public static string Of(string shell, IReadOnlyList<CompletionNode> nodes) => shell switch
    {
        "bash" => Bash(nodes),
        "zsh" => Zsh(nodes),
        _ => Fish(nodes),
    };

    private static string Bash(IReadOnlyList<CompletionNode> nodes)
    {
        var text = new StringBuilder();
        text.Append($$"""
            # Completion for bash: eval "$(router completion bash)", or this in /etc/bash_completion.d/router.
            _router_add() {
                mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen "$@" -- "$word")
            }
            _router() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at=router i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case "$at ${COMP_WORDS[i]}" in
                        {{Commands(nodes)}}) at="$at ${COMP_WORDS[i]}" ;;
                    esac
                done
                case "$at $before" in

            """);
        AppendValues(text, nodes, BashFiles, static words => $"_router_add -W '{words}'");
        text.Append("    esac\n    case \"$at\" in\n");
        foreach (var node in nodes)
        {
            var words = node.Commands.Select(static one => one.Word).Concat(node.Words)
                .Concat(node.Options.Select(static option => option.Name));
            var files = node.TakesFile ? $"; {BashFiles}" : "";
            text.Append($"        '{node.Path}') _router_add -W '{Join(words)}'{files} ;;\n");
        }

        return text.Append("    esac\n}\ncomplete -F _router router\n").ToString();
    }

    private static string Zsh(IReadOnlyList<CompletionNode> nodes)
    {
        var text = new StringBuilder();
        text.Append($$"""
            #compdef router
            # Completion for zsh: source <(router completion zsh), or this as _router in a folder of $fpath.
            _router() {
                local at=router i
                for ((i = 2; i < CURRENT; i++)); do
                    case "$at $words[i]" in
                        {{Commands(nodes)}}) at="$at $words[i]" ;;
                    esac
                done
                case "$at $words[CURRENT-1]" in

            """);
        AppendValues(text, nodes, ZshFiles, static words => $"compadd -- {words}");
        text.Append("    esac\n    local -a known\n    case \"$at\" in\n");
        foreach (var node in nodes)
        {
            var words = node.Commands
                .Concat(node.Words.Select(static word => new CompletionWord(word, "")))
                .Concat(node.Options.Select(static option => new CompletionWord(option.Name, option.Meaning)))
                .Select(static word => Quote(word.Meaning.Length > 0 ? $"{word.Word}:{word.Meaning}" : word.Word));
            text.Append($"        '{node.Path}') known=({Join(words)}){(node.TakesFile ? $"; {ZshFiles}" : "")} ;;\n");
        }

        return text.Append("""
                esac
                _describe router known
            }
            if [ "$funcstack[1]" = _router ]; then _router "$@"; else compdef _router router; fi

            """).ToString();
    }

    private static string Fish(IReadOnlyList<CompletionNode> nodes)
    {
        var text = new StringBuilder();
        text.Append($$"""
            # Completion for fish: router completion fish | source, or this in ~/.config/fish/completions/router.fish.
            function __router_at
                set -l at router
                for word in (commandline -opc)[2..-1]
                    switch "$at $word"
                        case {{Commands(nodes).Replace(" | ", " ", StringComparison.Ordinal)}}
                            set at "$at $word"
                    end
                end
                test "$at" = "$argv[1]"
            end
            complete -c router -f

            """);
        foreach (var node in nodes)
        {
            var at = $"complete -c router -n {Quote($"__router_at \"{node.Path}\"")}";
            foreach (var word in node.Commands)
            {
                text.Append($"{at} -a {word.Word} -d {Quote(word.Meaning)}\n");
            }

            if (node.Words.Count > 0)
            {
                text.Append($"{at} -a {Quote(Join(node.Words))}\n");
            }

            if (node.TakesFile)
            {
                text.Append($"{at} -F\n");
            }

            foreach (var option in node.Options)
            {
                var value = option.TakesFile ? " -r -F"
                    : option.Words.Count > 0 ? $" -x -a {Quote(Join(option.Words))}"
                    : option.TakesValue ? " -x"
                    : "";
                text.Append($"{at} -l {option.Name.TrimStart('-')}{value} -d {Quote(option.Meaning)}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>Patterns of all commands within others.</summary>
    private static string Commands(IReadOnlyList<CompletionNode> nodes) =>
        string.Join(" | ", nodes.Skip(1).Select(static node => $"'{node.Path}'"));

    /// <summary>A pattern for each option with a value, and what completes that.</summary>
    /// <param name="files">Completes the name of a file.</param>
    /// <param name="words">Completes one of these words.</param>
    private static void AppendValues(
        StringBuilder text, IReadOnlyList<CompletionNode> nodes, string files, Func<string, string> words)
    {
        foreach (var node in nodes)
        {
            foreach (var option in node.Options.Where(static option => option.TakesValue))
            {
                var does = option.TakesFile ? $"{files}; return"
                    : option.Words.Count > 0 ? $"{words(Join(option.Words))}; return"
                    : "return";
                text.Append($"        '{node.Path} {option.Name}') {does} ;;\n");
            }
        }
    }

    private static string Join(IEnumerable<string> words) => string.Join(' ', words);

    /// <summary>A word of zsh and of fish, whatever is in it.</summary>
    private static string Quote(string text) => $"'{text.Replace("'", "’", StringComparison.Ordinal)}'";
}

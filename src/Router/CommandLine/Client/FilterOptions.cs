using System.CommandLine;

namespace Router.CommandLine.Client;

/// <summary>Options that a path of the endpoint has as parameters of its query, by the same names.</summary>
internal static class FilterOptions
{
    /// <param name="words">That a shell completes it by.</param>
    public static Option<string?> Make(
        string name, string value, string description, params IReadOnlyList<string> words)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = value };
        option.CompletionSources.Add([.. words]);
        return option;
    }

    /// <summary>Those that are given, as <c>name=value</c>.</summary>
    public static IEnumerable<string> QueryOf(ParseResult parsed, IEnumerable<Option<string?>> options) => options
        .Select(option => (Key: option.Name[2..], Value: parsed.GetValue(option)))
        .Where(static pair => pair.Value is not null)
        .Select(static pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value!)}");
}

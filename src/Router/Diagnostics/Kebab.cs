namespace Router.Diagnostics;

/// <summary>PascalCase and camelCase to kebab-case, for words in logs.</summary>
internal static class Kebab
{
    public static string From(string name) => string.Concat(name.Select(static (c, i) =>
        (char.IsUpper(c) && i > 0 ? "-" : "") + char.ToLowerInvariant(c)));
}

/// <summary>The members of an enumeration, counted from 0, as logs and configuration spell them.</summary>
internal static class ClosedSet<TMember>
    where TMember : struct, Enum
{
    private static readonly string[] Words =
        [.. Enum.GetValues<TMember>().Select(static member => Kebab.From(member.ToString()))];

    public static int Count => Words.Length;

    /// <summary>MaxSessions is max-sessions.</summary>
    public static string NameOf(TMember member) => Words[Convert.ToInt32(member)];
}

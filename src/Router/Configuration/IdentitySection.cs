using System.Text;
using System.Text.RegularExpressions;
using Router.Configuration.Hocon;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>A listener's keys about the identities of its sessions' peers.</summary>
internal static class IdentitySection
{
    private const string Key = "identity";

    private static readonly (string Word, IdentitySource? Source)[] Words =
    [
        ("none", null), ("endpoint", IdentitySource.Endpoint), ("handler", IdentitySource.Handler),
    ];

    /// <param name="listener">The listener.</param>
    /// <param name="proof">Of them.</param>
    /// <returns>Null where sessions have no identity.</returns>
    public static IdentitySettings? Read(SectionReader listener, IdentityProof proof)
    {
        var attachTimeoutMs = listener.Milliseconds(
            "attach-timeout", TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), Reload.NewSessions);
        var interval = listener.Duration("checkpoint-interval", TimeSpan.Zero, Limit.Day, Reload.NewSessions);
        var isSync = listener.Bool("checkpoint-sync", Reload.NewSessions);
        var settings = new IdentitySettings(
            default, 0, 0, null, attachTimeoutMs, (int)interval.TotalMilliseconds, isSync, proof);
        return listener.Find(Key)?.Value is HoconObject
            ? ReadObject(listener.Child(Key), settings)
            : listener.Choice<IdentitySource?>(Key, Reload.No, Words) is { } source
                ? settings with { Source = source }
                : null;
    }

    public static IdentityProof ReadProof(SectionReader listener) => new(
        listener.Choice<IdentityProofKind>("proof", Reload.NewSessions),
        Encoding.UTF8.GetBytes(listener.OptionalText("proof-secret", Reload.NewSessions) ?? ""),
        listener.Int("proof-offset", 0, 65_000, Reload.NewSessions, orElse: -1),
        listener.Milliseconds(
            "proof-timeout", TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), Reload.NewSessions));

    private static IdentitySettings ReadObject(SectionReader identity, IdentitySettings settings)
    {
        if (identity.OptionalText("first-line", Reload.No) is not { } text)
        {
            return settings with
            {
                Source = IdentitySource.Bytes,
                Offset = identity.Int("offset", 0, 65_000, Reload.No, orElse: 0),
                Length = identity.Int("length", 1, 127, Reload.No),
            };
        }

        try
        {
            // Its time goes with the length of the line alone, whatever a peer sends.
            var pattern = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return settings with { Source = IdentitySource.FirstLine, Pattern = pattern };
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException)
        {
            identity.Fault("first-line", $"'{text}' is no regular expression: {refused.Message}");
            return settings with { Source = IdentitySource.FirstLine };
        }
    }
}

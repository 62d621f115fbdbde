using System.Text.RegularExpressions;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>Keeps secrets out of what is shown and logged. Which keys hold one is told by their names.</summary>
internal static partial class Secrets
{
    public const string Mask = "***";

    private const int TimeoutMs = 10_000;

    private static readonly string[] Endings =
        ["password", "passwd", "passphrase", "secret", "token", "api-key", "private-key", "shared-key", "credentials"];

    /// <summary>Whether a key of this name holds a secret; the name of a file that holds one is none.</summary>
    public static bool IsSecret(string key) =>
        Array.Exists(Endings, e => key.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    /// <summary>A text with the user's part of its URLs, the passwords of connection strings and private
    /// keys in PEM masked.</summary>
    public static string MaskText(string text) =>
        PrivateKeys().Replace(Passwords().Replace(UserInfo().Replace(text, $"$1$2{Mask}@"), $"$1{Mask}"), Mask);

    /// <summary>Of a value that is a connection string, which a sentence is not: a password may have quotes, and
    /// spaces in it.</summary>
    private static string MaskConnection(string value) =>
        ConnectionStart().IsMatch(value) ? ConnectionPasswords().Replace(value, $"$1{Mask}") : value;

    /// <summary>A tree with every secret masked.</summary>
    /// <param name="masked">How many were.</param>
    public static HoconObject Without(HoconObject root, out int masked)
    {
        var count = 0;
        var result = (HoconObject)Masked(root, isSecret: false, ref count);
        masked = count;
        return result;
    }

    /// <remarks>A tree is at most 512 levels deep, so recursion is safe.</remarks>
    private static HoconValue Masked(HoconValue value, bool isSecret, ref int count)
    {
        switch (value)
        {
            case HoconObject all:
                var fields = new List<HoconField>(all.Fields.Count);
                foreach (var field in all.Fields)
                {
                    var inner = Masked(field.Value, isSecret || IsSecret(field.Name), ref count);
                    fields.Add(field with { Value = inner });
                }

                return new HoconObject(fields, all.Origin, all.IgnoresFallbacks);
            case HoconArray list:
                var elements = new HoconValue[list.Elements.Count];
                for (var i = 0; i < elements.Length; i++)
                {
                    elements[i] = Masked(list.Elements[i], isSecret, ref count);
                }

                return new HoconArray(elements, list.Origin);
            default:
                return MaskedScalar((HoconScalar)value, isSecret, ref count);
        }
    }

    private static HoconScalar MaskedScalar(HoconScalar scalar, bool isSecret, ref int count)
    {
        var text = isSecret && !SaysYesOrNo(scalar) ? Mask
            : scalar.Type == HoconType.String ? MaskText(MaskConnection(scalar.Text))
            : scalar.Text;
        if (text == scalar.Text)
        {
            return scalar;
        }

        count++;
        return new HoconScalar(HoconType.String, text, scalar.Origin);
    }

    /// <summary>Such a value only says whether there is a secret: <c>keep-token = off</c>.</summary>
    private static bool SaysYesOrNo(HoconScalar scalar) =>
        scalar.Type == HoconType.Null || scalar.Text is "true" or "false" or "yes" or "no" or "on" or "off";

    /// <summary>RFC 3986, 3.2.1: between "//" and the last "@" of the authority; or a user, ':' and a password
    /// before '@' at the beginning of a word.</summary>
    /// <remarks>No run of characters is scanned twice, so that millions of them are one scan.</remarks>
    [GeneratedRegex(@"(://)[^/?#\s]+@|(^|[\s'""])[^\s'""/@:]+:[^\s'""/@]+@", RegexOptions.CultureInvariant, TimeoutMs)]
    private static partial Regex UserInfo();

    [GeneratedRegex(
        @"((?:password|pwd|psw) *= *)[^;\s]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeoutMs)]
    private static partial Regex Passwords();

    [GeneratedRegex(@"^\s*\w[\w ]*=", RegexOptions.CultureInvariant, TimeoutMs)]
    private static partial Regex ConnectionStart();

    [GeneratedRegex(
        @"((?:password|pwd|psw)\s*=\s*)(?:""(?:[^""]|"""")*""?|'(?:[^']|'')*'?|[^;]+)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeoutMs)]
    private static partial Regex ConnectionPasswords();

    [GeneratedRegex(
        @"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?", RegexOptions.CultureInvariant,
        TimeoutMs)]
    private static partial Regex PrivateKeys();
}

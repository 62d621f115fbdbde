using System.Security.Cryptography;
using System.Text;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>What members of a cluster compare of their configurations: the resolved <c>router { }</c>, defaults too,
/// without what is a member's own. Immutable; any thread.</summary>
/// <remarks>Of secrets the hash knows only that there are some. They are compared by <see cref="Salted"/>, which is
/// told among members, and neither logged nor shown.</remarks>
internal sealed class ConfigurationPrint
{
    /// <summary>Hexadecimal digits of a hash: it tells configurations apart, and need not withstand anybody.</summary>
    public const int HashDigits = 16;

    /// <summary>The same of a salt, and of what is salted.</summary>
    public const int SaltDigits = 32;

    /// <summary>What is a machine's own.</summary>
    private static readonly string[] OwnKeys = ["loops", "heap", "log"];

    private static readonly string[] OwnClusterKeys = ["host", "bind-host", "port", "seeds", "roles", "tls"];

    private static readonly string[] OwnAdminKeys = ["bind", "tls"];

    private readonly byte[] _all;

    private ConfigurationPrint(string hash, byte[] all) => (Hash, _all) = (hash, all);

    /// <summary>Of all but secrets.</summary>
    public string Hash { get; }

    /// <param name="router">The resolved section.</param>
    public static ConfigurationPrint Of(HoconObject router)
    {
        var common = Without(router, OwnKeys, static (name, value) => name switch
        {
            "admin" => Without(value, OwnAdminKeys),
            "cluster" => Without(value, OwnClusterKeys),
            "listeners" => Without(value, [], static (_, listener) => Without(listener, ["bind"])),
            _ => value,
        });
        var shown = SHA256.HashData(BytesOf(Secrets.Without((HoconObject)common, out _)));
        return new ConfigurationPrint(Convert.ToHexStringLower(shown)[..HashDigits], BytesOf(common));
    }

    /// <summary>Of all, secrets too, by somebody's salt: equal for equal configurations.</summary>
    /// <param name="salt">As its owner tells it.</param>
    public string Salted(string salt) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(salt), _all))[..SaltDigits];

    private static byte[] BytesOf(HoconValue value) => Encoding.UTF8.GetBytes(HoconJson.Print(value, indented: false));

    /// <summary>An object without some keys, the others in the order of their names; another value as it is.</summary>
    private static HoconValue Without(
        HoconValue value, string[] keys, Func<string, HoconValue, HoconValue>? change = null) =>
        value is not HoconObject all
            ? value
            : new HoconObject(
                [
                    .. from field in all.Fields.OrderBy(static field => field.Name, StringComparer.Ordinal)
                        where !keys.Contains(field.Name, StringComparer.Ordinal)
                        let kept = change is null ? field.Value : change(field.Name, field.Value)
                        select field with { Value = Sorted(kept) },
                ],
                all.Origin);

    private static HoconValue Sorted(HoconValue value) => value switch
    {
        HoconObject => Without(value, []),
        HoconArray list => new HoconArray([.. list.Elements.Select(Sorted)], list.Origin),
        _ => value,
    };
}

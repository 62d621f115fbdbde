using System.Runtime.Serialization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Cluster.Members;

/// <summary>What a member tells the others of its configuration.</summary>
/// <param name="Hash">See <see cref="ConfigurationPrint.Hash"/>.</param>
/// <param name="Salt">The teller's own, drawn when it started.</param>
/// <param name="Salted">See <see cref="ConfigurationPrint.Salted"/>.</param>
internal sealed record ConfigurationTold(string Hash, string Salt, string Salted)
    : IClusterMessage, IDeadLetterSuppression
{
    private const int Bytes = ConfigurationPrint.HashDigits + (2 * ConfigurationPrint.SaltDigits);

    /// <summary>Its digits, one behind the other.</summary>
    public static ClusterFormat Format { get; } = ClusterFormat.Of<ConfigurationTold>(
        "co",
        static told => Encoding.ASCII.GetBytes($"{told.Hash}{told.Salt}{told.Salted}"),
        static bytes => Read(bytes));

    private static ConfigurationTold Read(byte[] bytes)
    {
        var text = Encoding.ASCII.GetString(bytes);
        if (bytes.Length != Bytes || !text.All(char.IsAsciiHexDigitLower))
        {
            throw new SerializationException($"not {Bytes} hexadecimal digits");
        }

        var salt = ConfigurationPrint.HashDigits;
        var salted = salt + ConfigurationPrint.SaltDigits;
        return new ConfigurationTold(text[..salt], text[salt..salted], text[salted..]);
    }
}

/// <summary>Whether the members that are heard of run this one's configuration. Says so in the log once for each other
/// configuration, however many members run it, and once when nobody runs another any more.</summary>
/// <param name="salt">This member's: hexadecimal digits.</param>
/// <param name="log">The router's.</param>
internal sealed class ConfigurationAgreement(string salt, ILogger log)
{
    private readonly Dictionary<Address, ConfigurationTold> _told = [];
    private readonly HashSet<(string Hash, string In)> _logged = [];   // other configurations
    private ConfigurationPrint? _own;
    private bool _differs;

    /// <summary>What the others are told; null until it is known.</summary>
    public ConfigurationTold? Own =>
        _own is null ? null : new ConfigurationTold(_own.Hash, salt, _own.Salted(salt));

    /// <summary>What this member runs: at the start, and after a reload.</summary>
    public void Set(ConfigurationPrint own)
    {
        if (own.Hash != _own?.Hash)
        {
            _logged.Clear();   // to that, others are another difference
        }

        _own = own;
        Look();
    }

    public void Hear(Address member, ConfigurationTold told)
    {
        if (!_told.TryGetValue(member, out var before) || before != told)
        {
            _told[member] = told;
            Look();
        }
    }

    /// <summary>The member is out of the cluster.</summary>
    public void Forget(Address member)
    {
        if (_told.Remove(member))
        {
            Look();
        }
    }

    private void Look()
    {
        if (_own is not { } own)
        {
            return;
        }

        var different = _told
            .Select(told => (Member: told.Key, told.Value.Hash, In: DifferenceOf(own, told.Value)))
            .Where(static told => told.In is not null)
            .OrderBy(static told => MemberTable.TextOf(told.Member), StringComparer.Ordinal)
            .ToList();
        if (different.Count == 0 && _differs)
        {
            ClusterLog.ConfigurationAgrees(log, own.Hash, _told.Count);
        }

        _differs = different.Count > 0;
        _logged.IntersectWith(different.Select(static told => (told.Hash, told.In!)));
        foreach (var (member, hash, where) in different)
        {
            if (_logged.Add((hash, where!)))
            {
                var members = different.Count(told => told.Hash == hash && told.In == where);
                ClusterLog.ConfigurationDiffers(log, MemberTable.TextOf(member), hash, own.Hash, where!, members);
            }
        }
    }

    /// <returns>Null for none.</returns>
    public static string? DifferenceOf(ConfigurationPrint own, ConfigurationTold told) =>
        told.Hash != own.Hash ? "keys"
        : CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(told.Salted), Encoding.ASCII.GetBytes(own.Salted(told.Salt))) ? null
        : "secrets";
}

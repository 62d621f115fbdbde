using Router.Cluster.Members;
using Router.Configuration;
using Router.Tests.Configuration;
using Router.Tests.Hosting;

namespace Router.Tests.Cluster.Members;

/// <summary>A difference is told once, and its end.</summary>
public sealed class ConfigurationAgreementTests : IDisposable
{
    private const string Differs = "configuration-differs";
    private const string Agrees = "configuration-agrees";
    private const string Salt = "00000000000000000000000000000000";

    private static readonly ConfigurationPrint First = Of("router.drain-timeout=1s");
    private static readonly ConfigurationPrint Second = Of("router.drain-timeout=2s");
    private static readonly ConfigurationPrint Third = Of("router.drain-timeout=3s");

    private readonly EventLog _log = new();
    private readonly ConfigurationAgreement _agreement;

    public ConfigurationAgreementTests() => _agreement = new ConfigurationAgreement(Salt, _log);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void A_difference_is_told_once_with_both_hashes_however_many_members_have_it()
    {
        _agreement.Set(First);
        Hear(1, Second);
        Hear(2, Second);
        Hear(1, Second);

        var text = Assert.Single(_log.Texts(Differs));
        Assert.Contains("10.0.0.1:1", text, StringComparison.Ordinal);
        Assert.Contains($"({Second.Hash})", text, StringComparison.Ordinal);
        Assert.Contains($"({First.Hash})", text, StringComparison.Ordinal);
        Assert.Equal(0, _log.Count(Agrees));
    }

    [Fact]
    public void Another_difference_is_told_too_and_the_end_when_none_is_left()
    {
        _agreement.Set(First);
        Hear(1, Second);
        Hear(2, Third);
        Hear(1, First);
        Assert.Equal((2, 0), (_log.Count(Differs), _log.Count(Agrees)));
        Hear(2, First);
        Assert.Equal((2, 1), (_log.Count(Differs), _log.Count(Agrees)));
        Hear(2, Third);   // again
        Assert.Equal((3, 1), (_log.Count(Differs), _log.Count(Agrees)));
    }

    [Fact]
    public void A_reload_ends_a_difference_or_makes_another()
    {
        Hear(1, Second);   // before its own is known
        _agreement.Set(First);
        Assert.Equal(1, _log.Count(Differs));
        _agreement.Set(Third);
        Assert.Equal((2, 0), (_log.Count(Differs), _log.Count(Agrees)));
        _agreement.Set(Second);
        Assert.Equal((2, 1), (_log.Count(Differs), _log.Count(Agrees)));
    }

    [Fact]
    public void A_member_that_is_gone_differs_no_more()
    {
        _agreement.Set(First);
        Hear(1, Second);
        _agreement.Forget(AddressOf(1));

        Assert.Equal(1, _log.Count(Agrees));
    }

    [Fact]
    public void Secrets_that_differ_are_told_and_not_shown()
    {
        var secret = Of("router.x-secret=abc");
        _agreement.Set(secret);
        Hear(1, Of("router.x-secret=abd"));

        var text = Assert.Single(_log.Texts(Differs));
        Assert.Contains("its secrets differ", text, StringComparison.Ordinal);
        Hear(1, secret);
        Assert.Equal(1, _log.Count(Agrees));
    }

    private static Address AddressOf(int member) => new("akka.tcp", "router", $"10.0.0.{member}", 1);

    private static ConfigurationPrint Of(string set) =>
        ConfigurationPrint.Of(Loaded.Result(Loaded.Echo, set).Root!.TryGet("router", out var router)
            ? (Router.Configuration.Hocon.HoconObject)router.Value
            : throw new InvalidOperationException());

    /// <summary>What a member tells whose salt is its own.</summary>
    private void Hear(int member, ConfigurationPrint print)
    {
        var salt = new string((char)('0' + member), ConfigurationPrint.SaltDigits);
        _agreement.Hear(AddressOf(member), new ConfigurationTold(print.Hash, salt, print.Salted(salt)));
    }
}

using System.Text;
using System.Text.RegularExpressions;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Tests.Sessions;

/// <summary>What a first payload has to have in it.</summary>
public sealed class IdentitySettingsTests
{
    public const string Secret = "0123456789abcdef";

    // printf %s alice | openssl dgst -sha256 -hmac 0123456789abcdef
    public const string AliceToken = "fdbf8b1cacd3d578e062d0e41104357d";

    [Theory]
    [InlineData("alice " + AliceToken, null)]
    [InlineData("alice FDBF8B1CACD3D578E062D0E41104357D\r\nmore", null)]
    [InlineData("alice", DropReason.NoIdentity)]
    [InlineData("alice fdbf8b1cacd3d578e062d0e41104357e", DropReason.WrongProof)]
    [InlineData("Alice " + AliceToken, DropReason.WrongProof)]
    [InlineData("alice " + AliceToken + "00", DropReason.WrongProof)]
    [InlineData("alice " + AliceToken + "0", DropReason.WrongProof)]
    [InlineData("alice fdbf8b1cacd3d578e062d0e411043", DropReason.WrongProof)]
    [InlineData("alice xdbf8b1cacd3d578e062d0e41104357d", DropReason.WrongProof)]
    [InlineData("alice 0", DropReason.WrongProof)]
    public void A_line_has_the_token_of_its_name(string line, DropReason? refusal) =>
        Assert.Equal(refusal, Line(@"^(\w+) (\w+)").Refuse(Encoding.ASCII.GetBytes(line)));

    [Fact]
    public void A_token_that_is_not_captured_is_wrong() =>
        Assert.Equal(DropReason.WrongProof, Line(@"^(\w+)(?: (\w+))?").Refuse("alice"u8));

    [Fact]
    public void Bytes_have_the_token_where_it_stands()
    {
        var settings = Bytes(new IdentityProof(
            IdentityProofKind.Token, Encoding.ASCII.GetBytes(Secret), offset: 1));
        byte[] right = [9, .. Convert.FromHexString(AliceToken), .. "alice"u8, 7];

        Assert.Null(settings.Read(right, out var name));
        Assert.Equal("alice", name);
        Assert.Equal(DropReason.NoIdentity, settings.Refuse(right.AsSpan(0, 21)));
        for (var i = 1; i < 22; i++)
        {
            var wrong = right.ToArray();
            wrong[i] ^= 1;
            Assert.Equal(DropReason.WrongProof, settings.Refuse(wrong));
        }
    }

    [Fact]
    public void A_stream_that_begins_with_the_name_goes_on_until_the_token_is_there()
    {
        var settings = Bytes(new IdentityProof(
            IdentityProofKind.Token, Encoding.ASCII.GetBytes(Secret), offset: 22));
        byte[] right = [.. new byte[17], .. "alice"u8, .. Convert.FromHexString(AliceToken)];

        Assert.True(settings.NeedsMore(right.AsSpan(0, 37)));
        Assert.Equal(DropReason.WrongProof, settings.Refuse(right.AsSpan(0, 37)));
        Assert.False(settings.NeedsMore(right));
        Assert.Null(settings.Refuse(right));
    }

    [Fact]
    public void Nothing_is_compared_where_no_token_is_asked_for()
    {
        Assert.Null(Bytes(IdentityProof.None).Refuse(new byte[22]));
        Assert.Null(Bytes(new IdentityProof(IdentityProofKind.Handler)).Refuse(new byte[22]));
    }

    private static IdentitySettings Line(string pattern) => new(
        IdentitySource.FirstLine, 0, 0, new Regex(pattern, RegexOptions.NonBacktracking), 1_000, 1_000, Sync: false,
        new IdentityProof(IdentityProofKind.Token, Encoding.ASCII.GetBytes(Secret)));

    private static IdentitySettings Bytes(IdentityProof proof) =>
        new(IdentitySource.Bytes, 17, 5, null, 1_000, 1_000, Sync: false, proof);
}

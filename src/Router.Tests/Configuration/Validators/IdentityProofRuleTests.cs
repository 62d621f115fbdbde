using Router.Configuration;
using Router.Sessions;

namespace Router.Tests.Configuration.Validators;

public sealed class IdentityProofRuleTests
{
    private const string Bytes = "identity { offset = 2, length = 3 }";
    private const string Line = "identity { first-line = \"(a) (b)\" }";
    private const string Secret = "proof-secret = sixteen-bytes-abc";

    [Theory]
    [InlineData("")]
    [InlineData(Bytes + ", proof = token, proof-offset = 5, " + Secret)]
    [InlineData(Line + ", proof = token, " + Secret)]
    [InlineData(Line + ", proof = handler")]
    [InlineData(Bytes + ", proof = challenge, " + Secret)]
    [InlineData("identity { first-line = \"(a)\" }, proof = challenge, " + Secret)]
    [InlineData(Line + ", attach-timeout = 1s")]
    public void What_can_be_proved_is_let_through(string keys) => Assert.Empty(Load(keys).Faults);

    [Theory]
    [InlineData("proof = handler", "proof", "there is nothing to prove")]
    [InlineData("identity = endpoint, proof = token, " + Secret, "proof", "there is nothing to prove")]
    [InlineData("identity = handler, proof = handler", "proof", "there is nothing to prove")]
    [InlineData(Line + ", proof = token", "proof-secret", "16 to 1024 bytes")]
    [InlineData(Line + ", proof = token, proof-secret = fifteen-bytes-x", "proof-secret", "16 to 1024 bytes")]
    [InlineData(Line + ", " + Secret, "proof-secret", "nothing asks for it")]
    [InlineData(Line + ", proof = handler, " + Secret, "proof-secret", "nothing asks for it")]
    [InlineData(Bytes + ", proof = token, " + Secret, "proof-offset", "must be set")]
    [InlineData(Bytes + ", proof-offset = 5", "proof-offset", "nothing asks for it")]
    [InlineData(Line + ", proof = token, proof-offset = 5, " + Secret, "proof-offset", "nothing asks for it")]
    [InlineData(
        "identity { first-line = \"(a)\" }, proof = token, " + Secret, "identity.first-line", "a second group")]
    [InlineData(Line + ", proof = maybe", "proof", "none of none, token, handler, challenge")]
    [InlineData(Line + ", proof = challenge", "proof-secret", "16 to 1024 bytes")]
    [InlineData("identity = handler, proof = challenge, " + Secret, "proof", "there is nothing to prove")]
    [InlineData(Bytes + ", proof = challenge, proof-offset = 5, " + Secret, "proof-offset", "nothing asks for it")]
    [InlineData(
        Bytes + ", proof = challenge, attach-timeout = 1s, " + Secret, "proof-timeout", "longer than attach-timeout")]
    public void What_cannot_be_proved_is_refused(string keys, string key, string words) =>
        Loaded.Refuses(Load(keys), $"router.listeners.l.{key}", words);

    [Fact]
    public void A_route_without_handlers_of_the_program_cannot_say() => Loaded.Refuses(
        Load($"{Line}, proof = handler", "type = echo"),
        "router.listeners.l.proof", "use challenge or token");

    [Fact]
    public void The_keys_reach_the_sessions_and_the_secret_is_one()
    {
        var listener = Load($"{Bytes}, proof = token, proof-offset = 5, {Secret}").Options!.Listeners[0];

        Assert.Same(listener.Proof, listener.Sessions.Identity!.Proof);
        Assert.Equal((IdentityProofKind.Token, 5), (listener.Proof.Kind, listener.Proof.Offset));
        Assert.Equal("sixteen-bytes-abc"u8, listener.Proof.Secret);
        Assert.True(Secrets.IsSecret("proof-secret"));
    }

    private static LoadResult Load(string keys, string route = "type = handler, name = x") => Loaded.Result(
        $"router {{\n cluster {{}}\n routes.r {{ {route} }}\n"
        + $" listeners.l {{ bind = \"udp://127.0.0.1:1\", route = r, {keys} }}\n}}");
}

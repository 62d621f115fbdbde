using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>What is to be proved is in the peer's payload, and what it is proved by is there.</summary>
internal sealed class IdentityProofRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners.SelectMany(
        listener => Check(listener, context.Options.FindRoute(listener.Route)).Concat(CheckKeys(listener)));

    private static IEnumerable<ConfigurationFault> Check(ListenerOptions listener, RouteOptions? route)
    {
        if (listener.Proof.Kind == IdentityProofKind.None)
        {
            yield break;
        }

        if (listener.Sessions.Identity is not { Source: IdentitySource.Bytes or IdentitySource.FirstLine })
        {
            yield return listener.Section.FaultAt("proof",
                "there is nothing to prove: it is for an identity in the peer's payload, "
                + "identity { offset, length } or { first-line }; a handler that says who the peer is has seen proof");
        }

        // Those that may are the program's handlers.
        if (listener.Proof.Kind == IdentityProofKind.Handler && route is { MayRunOnPool: false })
        {
            yield return listener.Section.FaultAt("proof",
                $"'handler' is for routes of type handler, and route '{route.Name}' is none; use challenge or token");
        }
    }

    private static IEnumerable<ConfigurationFault> CheckKeys(ListenerOptions listener)
    {
        var (section, proof) = (listener.Section, listener.Proof);
        var isLong = proof.Secret.Length is >= IdentityProof.SecretBytesMin and <= IdentityProof.SecretBytesMax;
        if (proof.NeedsSecret && !isLong)
        {
            yield return section.FaultAt("proof-secret",
                $"this proof needs a secret of {IdentityProof.SecretBytesMin} to {IdentityProof.SecretBytesMax} bytes; "
                + "'openssl rand -hex 32' makes one");
        }

        if (!proof.NeedsSecret && proof.Secret.Length > 0)
        {
            yield return section.FaultAt("proof-secret", "nothing asks for it; set proof = challenge or token");
        }

        if (proof.Kind == IdentityProofKind.Challenge
            && listener.Sessions.Identity is { } identity && proof.TimeoutMs > identity.AttachTimeoutMs)
        {
            yield return section.FaultAt("proof-timeout",
                "must not be longer than attach-timeout, within which a session has to be attached");
        }

        var source = listener.Sessions.Identity?.Source;
        var isInBytes = proof.Kind == IdentityProofKind.Token && source == IdentitySource.Bytes;
        if (isInBytes && proof.Offset < 0)
        {
            yield return section.FaultAt("proof-offset",
                $"must be set: where the {IdentityProof.TokenBytes} bytes of the token begin in the first payload");
        }

        if (!isInBytes && proof.Offset >= 0)
        {
            yield return section.FaultAt("proof-offset",
                "nothing asks for it; it is for identity { offset, length } with proof = token");
        }

        if (proof.Kind == IdentityProofKind.Token && source == IdentitySource.FirstLine
            && listener.Sessions.Identity!.Pattern is { } pattern && pattern.GetGroupNumbers().Length < 3)
        {
            yield return section.FaultAt("identity.first-line",
                "proof = token needs a second group in it, that captures the token's "
                + $"{2 * IdentityProof.TokenBytes} hexadecimal digits, as in ^LOGIN (\\w+) (\\w+)");
        }
    }
}

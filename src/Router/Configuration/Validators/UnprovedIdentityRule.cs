using System.Net;
using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>Whoever knows an identity that need not be proved can take its session over.</summary>
internal sealed class UnprovedIdentityRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from listener in context.Options.Listeners
        where listener.Sessions.Identity is { Source: IdentitySource.Bytes or IdentitySource.FirstLine }
            && listener.Proof.Kind == IdentityProofKind.None && listener.Binds.Any(IsOpen)
        select listener.Section.FaultAt("identity",
            "is what a peer says of itself: whoever reaches this listener and knows an identity ends its session and "
            + "goes on with its state; set proof, unless this network is trusted");

    private static bool IsOpen(BindOptions bind) =>
        !bind.IsUnix && !IPAddress.IsLoopback(Endpoints.Plain(bind.EndPoint.Address));
}

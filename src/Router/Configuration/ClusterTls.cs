namespace Router.Configuration;

/// <summary>The keys of <c>cluster.tls</c>: names of PEM files. All three are set, or none.</summary>
internal sealed class ClusterTls(SectionReader tls)
{
    /// <summary>This member's certificate; read when the router starts.</summary>
    public string? Certificate { get; } = tls.OptionalText("certificate", Reload.No);

    /// <summary>Its private key.</summary>
    public string? Key { get; } = tls.OptionalText("key", Reload.No);

    /// <summary>The authorities whose certificates are members.</summary>
    public string? Authority { get; } = tls.OptionalText("ca", Reload.No);

    public SectionReader Section => tls;

    /// <summary>Whether members talk TLS.</summary>
    public bool IsSet => Certificate is not null || Key is not null || Authority is not null;
}

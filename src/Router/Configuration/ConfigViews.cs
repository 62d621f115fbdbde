using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>A configuration with all its layers, as <c>config show</c> and the admin endpoint show it.</summary>
internal static class ConfigViews
{
    /// <summary>What runs: every listener and route has what it inherits, and the defaults are left out.</summary>
    public static HoconObject InForce(HoconObject root) => With(root, static field =>
        field is { Name: "router", Value: HoconObject router } ? WithInherited(router) : field.Value);

    /// <summary>Only what somebody has written, in a file or on the command line.</summary>
    public static HoconObject Written(HoconObject root) => With(root, static field => field switch
    {
        { Value: HoconObject { Fields.Count: > 0 } all } when Written(all) is { Fields.Count: > 0 } some => some,
        { Value: HoconObject { Fields.Count: > 0 } } => null,
        _ => field.KeyOrigin.File == ConfigurationLoader.ReferenceName ? null : field.Value,
    });

    private static HoconObject WithInherited(HoconObject router) => With(router, field => field.Name switch
    {
        "listener-defaults" or "route-defaults" or "cluster-defaults" => null,
        "cluster" => field.Value is HoconObject cluster && Find(router, "cluster-defaults") is { } defaults
            ? cluster.OverNull().WithFallback(defaults)
            : null,
        "listeners" => Over(field.Value, _ => Find(router, "listener-defaults")),
        "routes" => Over(field.Value, route => (Find(route, "type") as HoconScalar)?.Text is { } type
            ? Find(router, "route-defaults", type)
            : null),
        _ => field.Value,
    });

    /// <summary>Each entry over its defaults; null is none.</summary>
    private static HoconValue Over(HoconValue entries, Func<HoconObject, HoconValue?> defaultsOf) =>
        entries is HoconObject all
            ? With(all, entry => entry.Value switch
            {
                HoconObject own => defaultsOf(own) is { } defaults ? own.WithFallback(defaults) : own,
                { Type: HoconType.Null } => null,
                _ => entry.Value,
            })
            : entries;

    private static HoconValue? Find(HoconObject all, params string[] path) =>
        all.TryGet(path, out var field) ? field.Value : null;

    /// <param name="change">Null leaves the field out.</param>
    private static HoconObject With(HoconObject all, Func<HoconField, HoconValue?> change) => new(
        [.. from field in all.Fields
            let value = change(field)
            where value is not null
            select field with { Value = value }],
        all.Origin);
}

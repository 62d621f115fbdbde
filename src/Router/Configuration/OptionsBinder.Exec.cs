using System.Net;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>Routes of type exec.</summary>
internal sealed partial class OptionsBinder
{
    private static ExecRouteOptions BindExec(SectionReader route, string name, HoconOrigin origin, HoconObject entry)
    {
        var limits = route.Child("limits");
        return new ExecRouteOptions
        {
            Command = [.. (route.Has("command") ? route.Texts("command") : []).Select(static word => word.Text)],
            Directory = route.Text("directory"),
            Environment = [.. route.Texts("environment").Select(static variable => variable.Text)],
            MaxProcesses = route.Int("max-processes"),
            Grace = route.Duration("grace"),
            Restart = route.Choice("restart", ("never", RestartChoice.Never),
                ("on-failure", RestartChoice.OnFailure), ("always", RestartChoice.Always)),
            StderrLines = route.Int("stderr-lines"),
            Limits = new ExecLimitOptions(
                limits.Duration("cpu-time", allowInfinite: true),
                limits.LongSize("memory"),
                limits.LongSize("file-size"),
                limits.Int("open-files")),
            Validate = route.Choice("validate", ("round-trip", ProofChoice.RoundTrip),
                ("token", ProofChoice.Token), ("none", ProofChoice.None)),
            Token = route.OptionalText("token"),
            AllowUnvalidated = BindNetworks(route, "allow-unvalidated"),
            ValidateTimeout = route.Duration("validate-timeout"),
            Name = name,
            Origin = origin,
            Source = entry,
        };
    }

    internal static List<IPNetwork> BindNetworks(SectionReader route, string key)
    {
        var networks = new List<IPNetwork>();
        foreach (var (text, origin) in route.Texts(key))
        {
            if (IPNetwork.TryParse(text, out var network) && !network.BaseAddress.IsIPv4MappedToIPv6)
            {
                networks.Add(network);
            }
            else
            {
                route.Fault(origin, key,
                    $"'{text}' is not a network; write its first address and its length, as 10.0.0.0/8 or fd00::/8");
            }
        }

        return networks;
    }
}

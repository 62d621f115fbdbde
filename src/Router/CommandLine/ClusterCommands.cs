using System.CommandLine;

namespace Router.CommandLine;

/// <summary>The commands below <c>router cluster</c>.</summary>
internal static class ClusterCommands
{
    private const int DefaultDays = 365;

    public static Command MakeCertificates(TextWriter output, TextWriter error, TimeProvider time)
    {
        var folder = new Option<string>("--out")
        {
            Description = "The folder for the files; nothing in it is replaced.",
            HelpName = "DIR",
            Required = true,
        };
        var authority = new Option<string?>("--ca")
        {
            Description = "The folder of an earlier run, whose authority makes these members too.",
            HelpName = "DIR",
        };
        var days = new Option<int>("--days")
        {
            Description = $"How long the members' certificates are valid: 1 to {ClusterCertificates.DaysMax}, else "
                + $"{DefaultDays}.",
            HelpName = "DAYS",
            DefaultValueFactory = static _ => DefaultDays,
        };
        var hosts = new Argument<string[]>("HOST...")
        {
            Description = "Addresses or names at which the others reach these members.",
            Arity = ArgumentArity.OneOrMore,
        };
        foreach (var option in new Option<string?>[] { folder!, authority })
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens is [{ Value: "" }])
                {
                    result.AddError($"{option.Name} needs the name of a folder.");
                }
            });
        }

        days.Validators.Add(static result =>
        {
            if (!int.TryParse(result.Tokens is [{ Value: var text }] ? text : $"{DefaultDays}", out var number)
                || number is < 1 or > ClusterCertificates.DaysMax)
            {
                result.AddError($"--days is 1 to {ClusterCertificates.DaysMax}.");
            }
        });
        hosts.Validators.Add(static result =>
        {
            foreach (var fault in result.Tokens.Select(static token => ClusterCertificates.FaultOf(token.Value)))
            {
                if (fault is not null)
                {
                    result.AddError(fault);
                }
            }
        });
        var command = new Command(
            "certificates", "Makes an authority and, for each member's HOST, a certificate and its key.")
        {
            folder, authority, days, hosts,
        };
        command.SetAction(parsed => new ClusterCertificates(output, error, time).Run(
            parsed.GetValue(folder)!,
            parsed.GetValue(authority),
            [.. parsed.GetValue(hosts)!.Distinct(StringComparer.OrdinalIgnoreCase)],
            parsed.GetValue(days)));
        return command;
    }
}

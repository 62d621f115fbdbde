using Router.Configuration;

namespace Router.Routes;

/// <summary>The program of an exec route is there and may be executed, and so is its directory.</summary>
/// <remarks>Whether it starts is seen when it is started; most mistakes are seen here.</remarks>
internal sealed class ExecCommandRule : IConfigurationRule
{
    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ExecRouteOptions>())
        {
            if (CommandFault(route.Command) is { } fault)
            {
                yield return route.Section.FaultAt("command", fault);
            }

            if (!Path.IsPathRooted(route.Directory) || !Directory.Exists(route.Directory))
            {
                yield return route.Section.FaultAt(
                    "directory", $"'{route.Directory}' is no directory; an absolute path is wanted");
            }
        }
    }

    private static string? CommandFault(IReadOnlyList<string> command)
    {
        if (command.Count == 0)
        {
            return "a program is wanted, as [\"/path/of/program\", \"argument\", ...]";
        }

        var program = command[0];
        if (command.Any(static word => word.Contains('\0', StringComparison.Ordinal)))
        {
            return "an argument cannot contain a null character";
        }

        if (!Path.IsPathRooted(program))
        {
            return $"'{program}' is no absolute path; neither PATH nor a shell is asked: command = "
                + "[\"/bin/sh\", \"-c\", \"...\"] says so where a shell is wanted";
        }

        if (!File.Exists(program))
        {
            return $"there is no program '{program}'";
        }

        return OperatingSystem.IsWindows() || (File.GetUnixFileMode(program) & AnyExecute) != 0
            ? null
            : $"'{program}' may not be executed; see chmod(1)";
    }
}

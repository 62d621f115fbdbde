using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Hosting;
using Router.Routes;

namespace Router.CommandLine;

/// <summary><c>router config show</c>: prints a configuration with includes and substitutions resolved.</summary>
internal sealed class ConfigShow(TextWriter output, TextWriter error, bool asJson)
{
    /// <summary>A router's configuration: what is in force by it, or only what its author has written.</summary>
    /// <param name="file">Null for the built-in configuration.</param>
    /// <returns>The exit code.</returns>
    public int Run(string? file, IReadOnlyList<string> sets, bool onlyWritten)
    {
        var read = ConfigurationLoader.Load(RouteTypes.All, file, sets, Environment.GetEnvironmentVariable);
        if (read.Root is null)
        {
            WriteAll(read.Faults, "");
            return RouterRunner.ExitRefused;
        }

        WriteAll(read.Warnings, " (warning)");
        if (read.Faults.Count > 0)
        {
            error.WriteLine($"note: faults: {read.Faults.Count}, so that it would not run; router check lists them");
        }

        Print(onlyWritten ? ConfigViews.Written(read.Root) : ConfigViews.InForce(read.Root));
        return RouterRunner.ExitOk;
    }

    /// <summary>Any HOCON file by itself, of a router or not.</summary>
    /// <returns>The exit code.</returns>
    public int Run(string file)
    {
        var loader = new HoconLoader();
        HoconObject root;
        try
        {
            root = HoconResolver.Resolve([loader.LoadFileObject(file)], Environment.GetEnvironmentVariable);
        }
        catch (HoconException e)
        {
            error.WriteLine(new ConfigurationFault(e.Origin, "", e.Reason));
            return RouterRunner.ExitRefused;
        }

        WriteAll(loader.Warnings, " (warning)");
        Print(root);
        return RouterRunner.ExitOk;
    }

    private void WriteAll(IEnumerable<ConfigurationFault> lines, string ending)
    {
        foreach (var line in lines)
        {
            error.WriteLine($"{line}{ending}");
        }
    }

    private void Print(HoconObject root)
    {
        // A router's configuration may be shown to anybody; any other file is printed as it is.
        if (root.TryGet("router", out var router) && router.Value is HoconObject)
        {
            root = Secrets.Without(root, out var masked);
            if (masked > 0)
            {
                error.WriteLine($"note: {masked} secrets are shown as {Secrets.Mask}");
            }
        }

        if (asJson)
        {
            HoconJson.Write(output, root);
            output.WriteLine();
        }
        else
        {
            HoconText.Write(output, root);
        }
    }
}

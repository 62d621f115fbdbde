using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Hosting;
using Router.Routes;

namespace Router.CommandLine;

/// <summary><c>router config show</c>: prints a configuration with includes and substitutions resolved.</summary>
internal static class ConfigShow
{
    /// <param name="file">Any HOCON file, of a router or not; null for the built-in configuration over its
    /// defaults.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string? file, bool asJson, TextWriter output, TextWriter error)
    {
        HoconObject root;
        var loader = new HoconLoader();
        try
        {
            root = file is null
                ? RouterConfiguration.Load(RouteTypes.All, null, [], Environment.GetEnvironmentVariable).Root!
                : HoconResolver.Resolve([loader.LoadFileObject(file)], Environment.GetEnvironmentVariable);
        }
        catch (HoconException e)
        {
            error.WriteLine(e.Message);
            return RouterRunner.ExitRefused;
        }

        foreach (var warning in loader.Warnings)
        {
            error.WriteLine($"{warning} (warning)");
        }

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

        return RouterRunner.ExitOk;
    }
}

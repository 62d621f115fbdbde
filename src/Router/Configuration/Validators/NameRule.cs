namespace Router.Configuration.Validators;

/// <summary>Names of listeners and routes become parts of actor paths, logs and metrics.</summary>
internal sealed class NameRule : IConfigurationRule
{
    private const string Wanted = "a name consists of letters, digits, '-' and '_', 64 at most";

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var listeners = context.Options.Listeners
            .Where(l => !IsName(l.Name))
            .Select(l => new ConfigurationFault(l.Section.Origin, l.Section.Path, Wanted));
        var routes = context.Options.Routes
            .Where(r => !IsName(r.Name))
            .Select(r => new ConfigurationFault(r.Section.Origin, r.Section.Path, Wanted));
        return listeners.Concat(routes);
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

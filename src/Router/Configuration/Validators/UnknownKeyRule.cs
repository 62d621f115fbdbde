namespace Router.Configuration.Validators;

/// <summary>A key that nothing reads is refused: it would silently have no effect.</summary>
internal sealed class UnknownKeyRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from section in context.Sections
        from field in section.Section.Fields
        where !section.Known.Contains(field.Name)
        select new ConfigurationFault(
            field.KeyOrigin,
            section.PathOf(field.Name),
            $"unknown key{Nearest.Hint(field.Name, section.Known)}");
}

namespace Router.Running;

/// <summary>Told to the router's actor: reads the configuration again, as SIGHUP has the service do. The sender is
/// answered with a <see cref="ReloadResult"/>.</summary>
public sealed class ReloadRouter
{
    /// <summary>The message.</summary>
    public static ReloadRouter Instance { get; } = new();

    private ReloadRouter()
    {
    }
}

/// <summary>What became of reading the configuration again.</summary>
/// <param name="Faults">Why it was refused, a line each: then nothing has changed. Empty exactly if it is in
/// force.</param>
/// <param name="ChangedKeys">Keys whose value is another than before, by their whole path.</param>
/// <param name="NeedRestart">Those of them that nothing follows before the next start.</param>
public sealed record ReloadResult(
    IReadOnlyList<string> Faults, IReadOnlyList<string> ChangedKeys, IReadOnlyList<string> NeedRestart)
{
    /// <summary>The configuration that was read is in force; false where there are faults.</summary>
    public bool IsApplied => Faults.Count == 0;

    /// <summary>In one line, for a log or a person.</summary>
    public override string ToString() => IsApplied
        ? $"applied; changed: [{string.Join(' ', ChangedKeys)}]; at the next start: [{string.Join(' ', NeedRestart)}]"
        : $"refused: {string.Join("; ", Faults)}";

    internal static ReloadResult Refused(params IReadOnlyList<string> faults) => new(faults, [], []);
}

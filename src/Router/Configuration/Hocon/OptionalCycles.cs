namespace Router.Configuration.Hocon;

/// <summary>An optional substitution that makes a value contain itself is undefined, wherever it is looked at from.
/// These are found on the way, and dropped.</summary>
/// <param name="dropped">Those known to be undefined, also from earlier passes.</param>
internal sealed class OptionalCycles(HashSet<SubstitutionNode> dropped)
{
    private readonly Dictionary<SubstitutionNode, LazyField> _targets = new(ReferenceEqualityComparer.Instance);

    public bool IsDropped(SubstitutionNode node) => dropped.Contains(node);

    /// <summary>The substitution means the whole value of this field, an object or an array.</summary>
    public void SetTarget(SubstitutionNode node, LazyField field) => _targets.TryAdd(node, field);

    /// <summary>Whether a substitution in the field means a field that is being resolved around it.</summary>
    public bool Closes(LazyField field) => field.Entries.SelectMany(e => Substitutions(e.Value)).Any(Closes);

    /// <summary>Drops an optional substitution of these nodes, the one that closes the cycle if it is known.</summary>
    /// <returns>False when there is none left.</returns>
    public bool TryDrop(IEnumerable<HoconNode> nodes, LazyField? field, HoconEvaluator evaluator)
    {
        var all = nodes.Reverse().ToList();
        var optional = all.SelectMany(Substitutions).Where(s => s.Optional && !IsDropped(s)).ToList();
        var culprit = optional.Find(Closes)
            ?? optional.Find(s => field is not null && Holds(evaluator, s, field))
            ?? optional.FirstOrDefault();
        if (culprit is null)
        {
            return false;
        }

        dropped.Add(culprit);
        evaluator.Forget(culprit);
        all.ForEach(evaluator.Forget);
        return true;
    }

    private bool Closes(SubstitutionNode node) =>
        _targets.TryGetValue(node, out var target) && target.Resolving && !IsDropped(node);

    /// <summary>Whether what the substitution means has the field in it.</summary>
    private static bool Holds(HoconEvaluator evaluator, SubstitutionNode node, LazyField field) =>
        evaluator.TryGetKnown(node, out var known)
        && (known as LazyObject)?.Field(field.Name) is { } own
        && own.Entries.Any(e => field.Entries.Any(f => ReferenceEquals(e.Value, f.Value)));

    private static IEnumerable<SubstitutionNode> Substitutions(HoconNode node) => node switch
    {
        SubstitutionNode substitution => [substitution],
        ConcatenationNode concatenation => concatenation.Pieces.OfType<SubstitutionNode>(),
        _ => [],
    };
}

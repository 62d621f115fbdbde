namespace Router.Configuration.Hocon;

/// <summary>Looks up what <c>${path}</c> means: in the tree, forward or back, else in the environment.</summary>
/// <param name="environment">Answers null for a variable that is not set.</param>
internal sealed class HoconSubstitutions(
    HoconEvaluator evaluator, OptionalCycles cycles, Func<string, string?> environment)
{
    public LazyValue? Evaluate(SubstitutionNode node)
    {
        if (cycles.IsDropped(node))
        {
            return null;
        }

        var isCycle = false;
        LazyValue? value = null;
        if (node.Scope is { } scope)
        {
            var start = scope.Anchor is null ? evaluator.Root : (LazyObject)evaluator.Evaluate(scope.Anchor)!;
            value = LookUp(node, start, [.. scope.Path, .. node.Path], ref isCycle);
        }

        if (value is null && !node.ScopeOnly)
        {
            isCycle = false;
            value = LookUp(node, evaluator.Root, node.Path, ref isCycle);
            if (value is null && !isCycle && node.Path.Count == 1)
            {
                value = FromEnvironment(node);
            }
        }

        if (value is null && !node.Optional && !evaluator.TryGetKnown(node, out _))
        {
            throw new HoconException(node.Origin, isCycle
                ? $"{node} refers to itself: a cycle of substitutions, with no earlier value to look back to"
                : $"{node} is not defined, neither in the configuration nor in the environment");
        }

        return value;
    }

    private LazyValue? LookUp(
        SubstitutionNode node, LazyObject start, IReadOnlyList<string> path, ref bool isCycle)
    {
        LazyValue? at = start;
        LazyField? target = null;
        foreach (var key in path)
        {
            if (at is not LazyObject parent || parent.Field(key) is not { } field)
            {
                return null;
            }

            if (field.Evaluating < 0)
            {
                at = evaluator.EvaluateBelow(field, field.Entries.Count);
                target = field;
            }
            else if (field.Evaluating > 0)
            {
                at = evaluator.EvaluateBelow(field, field.Evaluating);
                target = null;
            }
            else
            {
                isCycle = true;
                evaluator.LookBackElsewhere(field);
                return null;
            }
        }

        if (target is not null && at is (LazyObject or LazyArray))
        {
            cycles.SetTarget(node, target);
        }

        return at;
    }

    private LazyValue? FromEnvironment(SubstitutionNode node)
    {
        var name = node.Path[0];
        if (!node.List)
        {
            return environment(name) is { } text ? new LazyScalar(Text(text)) : null;
        }

        var elements = new List<LazyElement>();
        while (environment($"{name}_{elements.Count}") is { } text)
        {
            elements.Add(new LazyElement { Node = new ScalarNode(Text(text)) });
        }

        return elements.Count == 0 ? null : new LazyArray([.. elements], node.Origin);

        HoconScalar Text(string text) => new(HoconType.String, text, node.Origin);
    }
}

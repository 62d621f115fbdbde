namespace Router.Configuration.Hocon;

/// <content>Looking up paths: forward, back, and in the environment.</content>
internal sealed partial class HoconResolver
{
    private LazyValue? Substitute(SubstitutionNode node)
    {
        if (_dropped.Contains(node))
        {
            return null;
        }

        var isCycle = false;
        LazyValue? value = null;
        if (node.Scope is { } scope)
        {
            var start = scope.Anchor is null ? _root : (LazyObject)Evaluate(scope.Anchor)!;
            value = LookUp(node, start, [.. scope.Path, .. node.Path], ref isCycle);
        }

        if (value is null && !node.ScopeOnly)
        {
            isCycle = false;
            value = LookUp(node, _root, node.Path, ref isCycle);
            if (value is null && !isCycle && node.Path.Count == 1)
            {
                value = FromEnvironment(node);
            }
        }

        if (value is null && !node.Optional && !_known.ContainsKey(node))
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
                at = EvaluateBelow(field, field.Entries.Count);
                target = field;
            }
            else if (field.Evaluating > 0)
            {
                at = EvaluateBelow(field, field.Evaluating);
                target = null;
            }
            else
            {
                isCycle = true;
                LookBackElsewhere(field);
                return null;
            }
        }

        if (target is not null && at is (LazyObject or LazyArray))
        {
            _targets.TryAdd(node, target);
        }

        return at;
    }

    /// <summary>The field has nothing below to look back to; one that was met since it began may have.</summary>
    private void LookBackElsewhere(LazyField field)
    {
        var start = _frames.FindLastIndex(f => ReferenceEquals(f.Field, field));
        if (start < 0)
        {
            return;
        }

        for (var i = start + 1; i < _frames.Count; i++)
        {
            if (_frames[i].Index > 0)
            {
                throw new LookBackSignal(_frames[i]);
            }
        }
    }

    private LazyValue? FromEnvironment(SubstitutionNode node)
    {
        var name = node.Path[0];
        if (!node.List)
        {
            return _environment(name) is { } text ? Text(text) : null;
        }

        var elements = new List<LazyElement>();
        while (_environment($"{name}_{elements.Count}") is { } text)
        {
            elements.Add(new LazyElement { Node = new ScalarNode(Text(text).Value) });
        }

        return elements.Count == 0 ? null : new LazyArray([.. elements], node.Origin);

        LazyScalar Text(string text) =>
            new(new HoconScalar(HoconType.String, text, node.Origin));
    }
}

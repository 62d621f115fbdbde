namespace Router.Configuration.Hocon;

/// <summary>Resolves configurations laid over each other: every part of every value, where it must end.</summary>
internal sealed class HoconResolver
{
    private readonly ResolutionBudget _budget = new();
    private readonly OptionalCycles _cycles;
    private readonly HoconEvaluator _evaluator;

    private HoconResolver(
        IReadOnlyList<ObjectNode> layers, Func<string, string?> environment, HashSet<SubstitutionNode> dropped)
    {
        _cycles = new OptionalCycles(dropped);
        _evaluator = new HoconEvaluator(layers, environment, _cycles, _budget);
    }

    /// <param name="layers">Whole configurations, lowest first; none is changed.</param>
    /// <param name="environment">Answers null for a variable that is not set.</param>
    /// <exception cref="HoconException">A substitution is undefined, or the values grow beyond the limits.</exception>
    /// <remarks>
    /// That an optional substitution closes a cycle is found out on the way, when others have seen it defined: so then
    /// all begins anew without it.
    /// </remarks>
    public static HoconObject Resolve(IReadOnlyList<ObjectNode> layers, Func<string, string?> environment)
    {
        var dropped = new HashSet<SubstitutionNode>();
        for (var pass = 1; pass <= HoconLimits.Passes; pass++)
        {
            var before = dropped.Count;
            try
            {
                var root = new HoconResolver(layers, environment, dropped).ResolveRoot(layers[^1].Origin);
                if (dropped.Count == before)
                {
                    return root;
                }
            }
            catch (HoconException) when (dropped.Count > before)
            {
                // Perhaps only because it was dropped too late.
            }
        }

        throw new HoconException(dropped.Last().Origin, "too many cycles of optional substitutions");
    }

    private HoconObject ResolveRoot(HoconOrigin origin)
    {
        try
        {
            var root = (HoconObject)ResolveContainer(_evaluator.Root, origin);
            return root.Weight <= HoconLimits.Weight ? root : throw ResolutionBudget.TooBig(root.Origin);
        }
        catch (CycleSignal cycle)
        {
            throw new HoconException(cycle.Origin, "this value contains itself: a cycle of substitutions");
        }
    }

    private HoconValue Resolve(LazyValue value, HoconOrigin at) => _budget.Nest(at, () =>
    {
        var resolved = value is LazyScalar scalar
            ? ResolveScalar(scalar, at)
            : ResolveContainer((LazyContainer)value, at);
        if (resolved.Depth > HoconLimits.Depth)
        {
            throw new HoconException(at, $"nested more than {HoconLimits.Depth} levels deep");
        }

        return resolved.Weight <= HoconLimits.Weight ? resolved : throw ResolutionBudget.TooBig(at);
    });

    private HoconScalar ResolveScalar(LazyScalar value, HoconOrigin at)
    {
        if (!value.IsWhole)
        {
            _budget.Charge(at, value.Length);
        }

        return value.Value;
    }

    private HoconValue ResolveContainer(LazyContainer value, HoconOrigin at)
    {
        if (value.Resolved is { } resolved)
        {
            return resolved;
        }

        if (value.IsResolving)
        {
            throw new CycleSignal(at);
        }

        value.IsResolving = true;
        try
        {
            return value.Resolved = value is LazyArray array
                ? ResolveArray(array, at)
                : ResolveObject((LazyObject)value);
        }
        finally
        {
            value.IsResolving = false;
        }
    }

    private HoconObject ResolveObject(LazyObject value)
    {
        var fields = new List<HoconField>();
        foreach (var (key, entries) in value.Entries)
        {
            _budget.Charge(entries[^1].KeyOrigin, HoconLimits.FieldCost);
            if (entries[^1].Value is ScalarNode scalar)
            {
                fields.Add(new HoconField(key, scalar.Value, entries[^1].KeyOrigin));
            }
            else if (value.Field(key) is { } field && ResolveField(field) is { } resolved)
            {
                fields.Add(new HoconField(key, resolved, field.Entries[field.DecidingEntry].KeyOrigin));
            }
        }

        return new HoconObject(fields, value.Layers[^1].Origin, value.CoversOther);
    }

    private HoconArray ResolveArray(LazyArray value, HoconOrigin at)
    {
        _budget.Charge(at, value.Count * HoconLimits.FieldCost);
        return new HoconArray([.. value.Elements.Select(ResolveElement).OfType<HoconValue>()], value.Origin);
    }

    private HoconValue? ResolveField(LazyField field)
    {
        var before = field.Resolving;
        field.Resolving = true;
        try
        {
            while (true)
            {
                if (_evaluator.EvaluateBelow(field, field.Entries.Count) is not { } value)
                {
                    return null;
                }

                var origin = field.Entries[^1].Value.Origin;
                try
                {
                    return _cycles.Closes(field) ? throw new CycleSignal(origin) : Resolve(value, origin);
                }
                catch (CycleSignal)
                {
                    // A cycle counts as undefined for ${?}: the field then keeps what it had before.
                    if (!_cycles.TryDrop(field.Entries.Select(e => e.Value), field, _evaluator))
                    {
                        throw;
                    }

                    field.Forget();
                }
            }
        }
        finally
        {
            field.Resolving = before;
        }
    }

    private HoconValue? ResolveElement(LazyElement element)
    {
        if (element.IsResolved)
        {
            return element.Resolved;
        }

        var home = element.Home?.Field;
        var before = home?.Evaluating ?? -1;
        if (home is not null)
        {
            home.Evaluating = element.Home!.Index;
        }

        try
        {
            element.Resolved = element.Field is null ? ResolveNode(element.Node!) : ResolveField(element.Field);
        }
        finally
        {
            if (home is not null)
            {
                home.Evaluating = before;
            }
        }

        element.IsResolved = true;
        return element.Resolved;
    }

    private HoconValue? ResolveNode(HoconNode node)
    {
        while (true)
        {
            try
            {
                return _evaluator.Evaluate(node) is { } value ? Resolve(value, node.Origin) : null;
            }
            catch (CycleSignal)
            {
                if (!_cycles.TryDrop([node], field: null, _evaluator))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>A value turned out to contain itself.</summary>
    private sealed class CycleSignal(HoconOrigin origin) : Exception
    {
        public HoconOrigin Origin { get; } = origin;
    }
}

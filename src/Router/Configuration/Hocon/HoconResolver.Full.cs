using System.Runtime.CompilerServices;

namespace Router.Configuration.Hocon;

/// <content>Resolving in full: every part of a value, where it must end.</content>
internal sealed partial class HoconResolver
{
    private HoconValue ResolveValue(LazyValue value, HoconOrigin at)
    {
        if (++_depth > HoconLimits.ResolutionDepth)
        {
            throw new HoconException(at, "substitutions lead through too many others");
        }

        try
        {
            return RuntimeHelpers.TryEnsureSufficientExecutionStack()
                ? ResolveHere(value, at)
                : OnFreshStack(() => ResolveHere(value, at));
        }
        finally
        {
            _depth--;
        }
    }

    private HoconValue ResolveHere(LazyValue value, HoconOrigin at)
    {
        HoconValue resolved = value switch
        {
            LazyScalar scalar => ResolveScalar(scalar, at),
            LazyArray array => array.Resolved ?? ResolveArray(array, at),
            _ => ((LazyObject)value).Resolved ?? ResolveObject((LazyObject)value, at),
        };
        if (resolved.Depth > HoconLimits.Depth)
        {
            throw new HoconException(at, $"nested more than {HoconLimits.Depth} levels deep");
        }

        return resolved.Weight <= HoconLimits.Weight ? resolved : throw TooBig(at);
    }

    private HoconScalar ResolveScalar(LazyScalar value, HoconOrigin at)
    {
        if (!value.IsJoined)
        {
            Spend(at, value.Length);
        }

        return value.Value;
    }

    private HoconObject ResolveObject(LazyObject value, HoconOrigin at)
    {
        if (value.InProgress)
        {
            throw new CycleSignal(at);
        }

        value.InProgress = true;
        try
        {
            var fields = new List<HoconField>();
            foreach (var (key, entries) in value.Entries)
            {
                Spend(entries[^1].KeyOrigin, HoconLimits.FieldCost);
                if (entries[^1].Value is ScalarNode scalar)
                {
                    fields.Add(new HoconField(key, scalar.Value, entries[^1].KeyOrigin));
                }
                else if (value.Field(key) is { } field && ResolveField(field) is { } resolved)
                {
                    fields.Add(new HoconField(key, resolved, field.Entries[field.Decider].KeyOrigin));
                }
            }

            var origin = value.Layers[^1].Origin;
            return value.Resolved = new HoconObject(fields, origin, value.CoversOther);
        }
        finally
        {
            value.InProgress = false;
        }
    }

    private HoconArray ResolveArray(LazyArray value, HoconOrigin at)
    {
        if (value.InProgress)
        {
            throw new CycleSignal(at);
        }

        value.InProgress = true;
        try
        {
            Spend(at, value.Count * HoconLimits.FieldCost);
            var elements = value.Elements.Select(ResolveElement).OfType<HoconValue>().ToArray();
            return value.Resolved = new HoconArray(elements, value.Origin);
        }
        finally
        {
            value.InProgress = false;
        }
    }

    private HoconValue? ResolveField(LazyField field)
    {
        var before = field.Resolving;
        field.Resolving = true;
        try
        {
            while (true)
            {
                var value = EvaluateBelow(field, field.Entries.Count);
                if (value is null)
                {
                    return null;
                }

                try
                {
                    return ContainsAncestor(field)
                        ? throw new CycleSignal(field.Entries[^1].Value.Origin)
                        : ResolveValue(value, field.Entries[^1].Value.Origin);
                }
                catch (CycleSignal)
                {
                    // A cycle counts as undefined for ${?}: the field then keeps what it had before.
                    if (!Drop(field.Entries.Select(e => e.Value), field))
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

    /// <summary>Whether a substitution in the field means a field that is being resolved around it.</summary>
    private bool ContainsAncestor(LazyField field) =>
        field.Entries.Any(e => Substitutions(e.Value).Any(IsAncestor));

    private bool IsAncestor(SubstitutionNode node) =>
        _targets.TryGetValue(node, out var target) && target.Resolving && !_dropped.Contains(node);

    private static IEnumerable<SubstitutionNode> Substitutions(HoconNode node) => node switch
    {
        SubstitutionNode substitution => [substitution],
        JoinNode join => join.Pieces.OfType<SubstitutionNode>(),
        _ => [],
    };

    /// <summary>Drops the optional substitution of these that closes a cycle.</summary>
    /// <returns>False when there is none left.</returns>
    private bool Drop(IEnumerable<HoconNode> nodes, LazyField? field)
    {
        var all = nodes.Reverse().ToList();
        var optional = all.SelectMany(Substitutions).Where(s => s.Optional && !_dropped.Contains(s)).ToList();
        var culprit = optional.Find(IsAncestor)
            ?? optional.Find(s => field is not null && Holds(s, field))
            ?? optional.FirstOrDefault();
        if (culprit is null)
        {
            return false;
        }

        _dropped.Add(culprit);
        _known.Remove(culprit);
        all.ForEach(n => _known.Remove(n));
        return true;
    }

    /// <summary>Whether what the substitution means has the field in it.</summary>
    private bool Holds(SubstitutionNode node, LazyField field) =>
        _known.GetValueOrDefault(node) is LazyObject value
        && value.Field(field.Name) is { } own
        && own.Entries.Any(e => field.Entries.Any(f => ReferenceEquals(e.Value, f.Value)));

    private HoconValue? ResolveElement(LazyElement element)
    {
        if (element.IsResolved)
        {
            return element.Resolved;
        }

        var (home, before) = (element.Home, element.Home?.Evaluating ?? -1);
        if (home is not null)
        {
            home.Evaluating = element.HomeEntry;
        }

        try
        {
            if (element.Field is not null)
            {
                element.Resolved = ResolveField(element.Field);
            }
            else
            {
                element.Resolved = ResolveNode(element.Node!);
            }
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
                return Evaluate(node) is { } value ? ResolveValue(value, node.Origin) : null;
            }
            catch (CycleSignal)
            {
                if (!Drop([node], field: null))
                {
                    throw;
                }
            }
        }
    }
}
